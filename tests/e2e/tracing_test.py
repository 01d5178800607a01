"""One request, one trace: from the client's context through gateway, queue and worker to a collector,
and in their logs."""

import json
import os
import unittest

import collectors
from fleet import Fleet, wait_for

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CLIENT = "00f067aa0ba902b7"


def number(span, key):
    return next(float(list(one["value"].values())[0]) for one in span["attributes"]
                if one["key"] == key)


class TracingTest(unittest.TestCase):
    def setUp(self):
        self.collector = collectors.start()
        self.addCleanup(self.collector.stop)
        self.set_variables({
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.collector.url,
            "OTEL_EXPORTER_OTLP_HEADERS": collectors.HEADERS,
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment=test",
            "no_proxy": "127.0.0.1", "PHASOR_LOG_FORMAT": "json"})
        self.fleet = Fleet("--engine", "fake", "--fake-step-ms", "20")
        self.addCleanup(self.fleet.stop)

    def set_variables(self, variables):
        before = {name: os.environ.get(name) for name in variables}
        os.environ.update(variables)
        self.addCleanup(lambda: [os.environ.pop(name, None) if value is None
                                 else os.environ.update({name: value})
                                 for name, value in before.items()])

    def draw(self, name):
        code, _, err = self.fleet.phasor("generate", "a red circle", "--steps", "5",
                                         "-o", self.fleet.path(name))
        self.assertEqual(code, 0, err)

    def test_a_request_is_one_trace_from_the_clients_context_to_the_picture(self):
        self.set_variables({"TRACEPARENT": f"00-{TRACE}-{CLIENT}-01"})
        self.draw("one.png")
        spans = wait_for("the job's span", lambda: "job" in self.collector.of_trace(TRACE)
                         and self.collector.of_trace(TRACE), 30)
        self.assertEqual(set(spans), {"submit", "queue", "job", "load", "encode", "denoise", "decode",
                                      "publish"})
        self.assertEqual(spans["submit"]["parentSpanId"], CLIENT)
        self.assertEqual(spans["job"]["parentSpanId"], spans["submit"]["spanId"])
        self.assertEqual(spans["queue"]["parentSpanId"], spans["submit"]["spanId"])
        for name in ("load", "encode", "denoise", "decode", "publish"):
            self.assertEqual(spans[name]["parentSpanId"], spans["job"]["spanId"], name)
        self.assertEqual(number(spans["denoise"], "phasor.units"), 5)
        self.assertGreater(number(spans["denoise"], "phasor.busy_seconds"), 0.09)
        order = [int(spans[name]["startTimeUnixNano"]) for name in ("encode", "denoise", "decode",
                                                                    "publish")]
        self.assertEqual(order, sorted(order))
        self.assertEqual(spans["submit"]["of"]["service.name"], "phasor-gateway")
        self.assertEqual(spans["job"]["of"]["service.name"], "phasor-worker")
        self.assertEqual(spans["job"]["of"]["deployment.environment"], "test")
        self.assertNotIn("red circle", json.dumps(self.collector.spans))

        logs = {}
        for folder, _, names in os.walk(self.fleet.directory):
            for name in names:
                if name.endswith(".log"):
                    with open(os.path.join(folder, name)) as file:
                        for line in file:
                            if TRACE in line:
                                logs[json.loads(line)["message"]] = json.loads(line)
        for message in ("job accepted", "job taken", "job left"):
            self.assertEqual(logs[message]["trace_id"], TRACE)

    def test_without_a_context_the_gateway_begins_a_trace_and_a_collector_that_is_away_harms_nobody(self):
        self.collector.go_away()
        self.draw("two.png")
        self.collector.come_back()
        wait_for("spans of one trace", lambda: any(span["name"] == "job" for span in self.collector.spans)
                 and any(span["name"] == "submit" for span in self.collector.spans), 60)
        self.assertEqual(len({span["traceId"] for span in self.collector.spans}), 1)
        submit = next(span for span in self.collector.spans if span["name"] == "submit")
        self.assertFalse(submit.get("parentSpanId"))


if __name__ == "__main__":
    unittest.main()
