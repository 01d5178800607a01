#!/usr/bin/env python3
"""Workers that follow the queue's number on a node that runs its pods: the chart's HorizontalPodAutoscaler, Kubernetes' own
controller, and in place of a metrics adapter this program, which answers for the external metric with what the
gateways export: the largest number that one of them tells, and none while none tells any.

    cluster_scaling_test.py --node ADDRESS [--jobs N]

As with cluster_test.py stream, whose variables it takes; the API server has to reach this machine at the address that this
machine has towards the node. Under a stream of jobs one worker becomes three; while no number is to be had nothing changes; then two of three go, and every
picture is that of an undisturbed run.
"""

import argparse
import http.server
import json
import pathlib
import re
import socket
import ssl
import sys
import tempfile
import threading
import time

from cluster_test import KUBECTL, Release
from stream import LIMIT, Client, check_stream, expect, run, within

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import certificates  # noqa: E402

MODEL, METRIC, MOST = "phasor-demo", "phasor_queue_demand_jobs", 3
GROUP = "external.metrics.k8s.io/v1beta1"
DOWN = 30  # seconds for which fewer must have been enough
VALUES = ["gateway.service.type=NodePort", "gateway.replicas=2", "worker.autoscaling.type=hpa",
          f"worker.autoscaling.maxReplicas={MOST}",
          f"worker.autoscaling.scaleDownStabilizationSeconds={DOWN}"]
OBJECTS = """
apiVersion: v1
kind: Service
metadata: {name: phasor-test-metrics, namespace: kube-system}
spec: {type: ExternalName, externalName: %s}
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1beta1.external.metrics.k8s.io}
spec:
  group: external.metrics.k8s.io
  version: v1beta1
  groupPriorityMinimum: 100
  versionPriority: 100
  insecureSkipTLSVerify: true
  service: {name: phasor-test-metrics, namespace: kube-system, port: %d}
"""


class Numbers:
    """What the gateways of a release export."""

    def __init__(self, release):
        self.release = release

    def largest(self):
        """None: no gateway tells any."""
        found = []
        for pod in self.release.kubectl("get", "pods", "-o", "name", "-l",
                                        "app.kubernetes.io/component=gateway").split():
            path = (f"/api/v1/namespaces/{self.release.namespace}/pods/http:{pod.split('/')[1]}:9464"
                    "/proxy/metrics")
            text = self.release.kubectl("get", "--raw", path, check=False).stdout
            found += re.findall(METRIC + r'\{model="' + MODEL + r'"\} (\d+)', text)
        return max(map(int, found), default=None)


class Adapter(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if METRIC not in self.path:
            return self.answer({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": GROUP,
                                "resources": [{"name": METRIC, "namespaced": True, "singularName": "",
                                               "kind": "ExternalMetricValueList", "verbs": ["get"]}]})
        number = self.server.numbers.largest()
        items = [] if number is None else [
            {"metricName": METRIC, "metricLabels": {"model": MODEL}, "value": str(number),
             "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}]
        return self.answer({"kind": "ExternalMetricValueList", "apiVersion": GROUP, "metadata": {},
                            "items": items})

    def answer(self, body):
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def address_towards(node):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((node, 9))
        return probe.getsockname()[0]


def serve(numbers, folder, address):
    """The port, with TLS, as the API server asks."""
    authority = certificates.Authority(str(folder), "adapter")
    pair = folder / "adapter.crt", folder / "server.key"
    authority.issue(*map(str, pair))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    server = http.server.ThreadingHTTPServer((address, 0), Adapter)
    server.numbers = numbers
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


class Watched:
    """Not a disturbance of its own: keeps how many workers there were."""

    def __init__(self, release):
        self.release, self.most = release, 0

    def workers(self):
        text = self.release.kubectl("get", "deployment", "-o", "json", "-l",
                                    "app.kubernetes.io/component=worker")
        return json.loads(text)["items"][0]["status"].get("readyReplicas", 0)

    def go_on(self, _):
        self.most = max(self.most, self.workers())


def check(options, release, folder):
    release.install()
    watched = Watched(release)
    expect("one worker while there is nothing to do", watched.workers() == 1)
    client = Client(f"{options.node}:{release.node_port()}")
    check_stream(client, options, folder, watched)
    expect(f"{MOST} workers came for the jobs", watched.most == MOST, str(watched.most))
    for n in range(4 * MOST):
        client("submit", "--model", MODEL, "--steps", "100", "--key", f"later-{n}", "a green star")
    within(LIMIT, "as many come, or stay, for more", lambda: watched.workers() == MOST)
    release.kubectl("scale", "deployment", "phasor-test-gateway", "--replicas=0")
    time.sleep(DOWN + 60)
    expect("without a number nothing changes", watched.workers() == MOST, str(watched.workers()))
    release.kubectl("scale", "deployment", "phasor-test-gateway", "--replicas=2")
    began = time.monotonic()
    within(LIMIT, "one worker is left when there is nothing to do", lambda: watched.workers() == 1)
    print(f"{options.jobs} jobs; back to one worker after {time.monotonic() - began:.0f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--node", required=True)
    parser.add_argument("--jobs", type=int, default=60)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--pause", type=float, default=3, help="seconds between two looks")
    options = parser.parse_args()
    more = [word for value in VALUES for word in ("--set", value)]
    with Release("dev-cpu", *more) as release, tempfile.TemporaryDirectory() as name:
        address = address_towards(options.node)
        objects = OBJECTS % (address, serve(Numbers(release), pathlib.Path(name), address))
        run(KUBECTL, "apply", "-f", "-", stdin=objects)
        try:
            check(options, release, pathlib.Path(name))
        finally:
            run(KUBECTL, "delete", "--ignore-not-found", "-f", "-", stdin=objects)
        release.helm("uninstall", "--wait")


if __name__ == "__main__":
    main()
