"""Traces, monitors, rules and dashboards."""

import json
import unittest

from chart import CHART, GATEWAY, WORKER, container, env_of, render


class Tracing(unittest.TestCase):
    def test_nobody_makes_traces_unless_a_collector_is_named(self):
        for key in (GATEWAY, WORKER):
            self.assertNotIn("PHASOR_OTLP_ENDPOINT", env_of(container(render(), key)))

    def test_gateways_and_workers_know_the_collector_and_may_reach_it(self):
        for endpoint, port in (("http://otel.ns:4318", 4318), ("https://otel.example.com/t", 443),
                               ("http://otel", 80)):
            rendered = render({"tracing": {"endpoint": endpoint, "share": 0.25}})
            for key in (GATEWAY, WORKER):
                env = env_of(container(rendered, key))
                self.assertEqual(env["PHASOR_OTLP_ENDPOINT"], endpoint)
                self.assertEqual(env["PHASOR_TRACE_SHARE"], "0.25")
            for name in ("gateway", "worker"):
                egress = rendered["NetworkPolicy", f"r-phasor-{name}"]["spec"]["egress"]
                self.assertIn([{"port": port, "protocol": "TCP"}], [rule["ports"] for rule in egress])


class Monitoring(unittest.TestCase):
    def test_monitors_find_the_services_and_pods(self):
        rendered = render({"monitoring": {"serviceMonitor": {"enabled": True,
                                                             "labels": {"release": "p"}}}})
        monitor = rendered["ServiceMonitor", "r-phasor-gateway"]
        service = rendered["Service", "r-phasor-gateway-metrics"]
        self.assertLessEqual(monitor["spec"]["selector"]["matchLabels"].items(),
                             service["metadata"]["labels"].items())
        self.assertEqual(monitor["metadata"]["labels"]["release"], "p")
        pods = rendered["PodMonitor", "r-phasor-worker"]["spec"]["selector"]["matchLabels"]
        labels = rendered[WORKER]["spec"]["template"]["metadata"]["labels"]
        self.assertLessEqual(pods.items(), labels.items())

    def test_rules_and_dashboards_are_those_of_the_repository(self):
        rendered = render({"monitoring": {"prometheusRule": {"enabled": True, "labels": {"a": "b"}},
                                          "dashboards": {"enabled": True}}})
        rules = rendered.of("PrometheusRule")
        self.assertEqual(len(rules), len(list((CHART / "files/rules").glob("*.yml"))))
        for rule in rules:
            self.assertTrue(rule["spec"]["groups"][0]["rules"])
            self.assertEqual(rule["metadata"]["labels"]["a"], "b")
        boards = [one for one in rendered.of("ConfigMap") if "-dashboard-" in one["metadata"]["name"]]
        self.assertEqual(len(boards), len(list((CHART / "files/dashboards").glob("*.json"))))
        for board in boards:
            self.assertEqual(board["metadata"]["labels"]["grafana_dashboard"], "1")
            self.assertTrue(json.loads(next(iter(board["data"].values())))["panels"])

    def test_nothing_of_it_without_being_asked(self):
        kinds = {kind for kind, _ in render()}
        self.assertFalse(kinds & {"ServiceMonitor", "PodMonitor", "PrometheusRule", "ScaledObject"})
