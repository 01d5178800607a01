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
    """A collector with the OTLP receiver and the file exporter. What it writes is its own reading of what came: fields
    that it does not know are gone. It does not ask for the header."""

    def __init__(self, program):
        self.program, self.folder = program, tempfile.TemporaryDirectory()
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.written = os.path.join(self.folder.name, "spans.json")
        self.settings = os.path.join(self.folder.name, "settings.yaml")
        with open(self.settings, "w", encoding="utf-8") as file:
            json.dump({  # YAML, too
                "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}"}}}},
                "exporters": {"file": {"path": self.written, "append": True, "flush_interval": "200ms"}},
                "service": {"telemetry": {"metrics": {"level": "none"}},
                            "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["file"]}}}}, file)
        self.come_back()

    def come_back(self):
        log = os.path.join(self.folder.name, "log")
        with open(log, "w", encoding="utf-8") as file:
            self.process = subprocess.Popen([self.program, "--config", self.settings], stderr=file)

        def said():
            with open(log, encoding="utf-8") as file:
                return "Everything is ready" in file.read()
        wait_for("the collector", said, 30)

    def go_away(self):
        self.process.terminate()
        self.process.wait()

    @property
    def spans(self):
        with open(self.written, encoding="utf-8") as file:
            whole = [line for line in file if line.endswith("\n")]
        return [span for line in whole for span in spans_of(json.loads(line))]

    def stop(self):
        self.go_away()
        self.folder.cleanup()
