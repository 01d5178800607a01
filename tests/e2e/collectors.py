"""Collectors of traces, which keep what they are sent: one that takes nothing but what is documented, and, where OTELCOL
names the program, OpenTelemetry's own."""

import http.server
import json
import os
import subprocess
import tempfile
import threading

from command import wait_for
from ports import free_port

HEADERS = "api-key=hidden"


def start():
    return OpenTelemetry(os.environ["OTELCOL"]) if os.environ.get("OTELCOL") else Strict()


def spans_of(body):
    """Of a request, each with what is said of its process as `of`."""
    for process in body["resourceSpans"]:
        resource = {one["key"]: one["value"]["stringValue"] for one in process["resource"]["attributes"]}
        for span in process["scopeSpans"][0]["spans"]:
            yield {**span, "of": resource}


class Collector:
    """Has a `url` and all `spans` until now."""

    def of_trace(self, trace):
        return {span["name"]: span for span in self.spans if span["traceId"] == trace}


class Strict(Collector):
    """Refuses what is posted anywhere but to /v1/traces, or without the header."""

    def __init__(self):
        self.spans, self.away = [], False
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.collector = self
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def go_away(self):
        self.away = True

    def come_back(self):
        self.away = False

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        known = self.path == "/v1/traces" and f"api-key={self.headers['api-key']}" == HEADERS
        collector = self.server.collector
        status = 503 if collector.away else 200 if known else 404
        if status == 200:
            collector.spans.extend(spans_of(body))
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


class OpenTelemetry(Collector):
    """A collector with the OTLP receiver, which sends on what it understood to a strict one."""

    def __init__(self, program):
        self.program, self.folder, self.strict = program, tempfile.TemporaryDirectory(), Strict()
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.settings = os.path.join(self.folder.name, "settings.yaml")
        name, value = HEADERS.split("=")
        with open(self.settings, "w", encoding="utf-8") as file:
            json.dump({  # YAML, too
                "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}"}}}},
                "exporters": {"otlp_http": {"endpoint": self.strict.url, "encoding": "json",
                                            "compression": "none", "headers": {name: value}}},
                "service": {"telemetry": {"metrics": {"level": "none"}},
                            "pipelines": {"traces": {"receivers": ["otlp"],
                                                     "exporters": ["otlp_http"]}}}}, file)
        self.come_back()

    def come_back(self):
        log = os.path.join(self.folder.name, "log")
        with open(log, "w", encoding="utf-8") as file:
            self.process = subprocess.Popen([self.program, "--config", self.settings], stderr=file)

        def said():
            with open(log, encoding="utf-8") as file:
                text = file.read()
            if self.process.poll() is not None:
                raise AssertionError(text)
            return "Everything is ready" in text
        wait_for("the collector", said)

    def go_away(self):
        self.process.terminate()
        self.process.wait()

    @property
    def spans(self):
        return self.strict.spans

    def stop(self):
        self.go_away()
        self.strict.stop()
        self.folder.cleanup()
