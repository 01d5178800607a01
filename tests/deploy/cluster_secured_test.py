#!/usr/bin/env python3
"""The chart with everything on that keeps callers apart, on a node that runs its pods: TLS with certificates of clients for
workers, ports of their own, API keys from a Secret, metrics and probes over TLS, and traces to a collector.

    cluster_secured_test.py --node ADDRESS [--collector IMAGE] [--keep FILE]

As with cluster_test.py stream, whose variables it takes. `helm test` draws with the test's credential; a caller without one is
refused, as are one that speaks plain text and an operator's call at the clients' port. Then the gateways' certificate and the keys are
replaced in their Secrets, and the new ones hold without a restart. IMAGE is OpenTelemetry's collector (otelcol.yaml), which
reads a trace of a job; without one no traces are asked for.
"""

import argparse
import collections
import contextlib
import json
import os
import pathlib
import re
import sys
import tempfile

from cluster_test import CLUSTER, KUBECTL, MONITORING, Objects, Release
from stream import LIMIT, Client, expect, run, within

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import certificates  # noqa: E402

BIN = pathlib.Path(os.environ["BIN_DIR"])
NAME = "phasor-test-gateway"
VALUES = ["gateway.service.type=NodePort", "gateway.portsApart=true", "gateway.insecure=false",
          "tls.secret=gateway-tls", "tls.clientCerts={workers}", "tls.workerSecret=worker-tls",
          "tls.metricsSecret=metrics-tls", "access.keys=file", "access.keysSecret=api-keys",
          "access.workerSecret=worker-key", "access.testSecret=test-key"]


class Credentials:
    """Certificates and API keys in a folder, and as Secrets of a release."""

    def __init__(self, release, folder, node):
        self.release, self.folder = release, folder
        self.authority = certificates.Authority(str(folder), "authority")
        self.names = ",".join([f"DNS:{NAME}", f"DNS:{NAME}-workers", f"DNS:{NAME}-operators",
                               f"DNS:{NAME}-metrics", f"IP:{node}"])

    def certificate(self, secret, names="DNS:worker"):
        """A new one; its serial number."""
        pair = self.folder / f"{secret}.pem", self.folder / f"{secret}.key"
        serial = self.authority.issue(*map(str, pair), names)
        self.put(secret, "--from-file=tls.crt=" + str(pair[0]), "--from-file=tls.key=" + str(pair[1]),
                 f"--from-file=ca.crt={self.authority.certificate}")
        return serial

    def put(self, secret, *files):
        text = self.release.kubectl("create", "secret", "generic", secret, *files, "--dry-run=client",
                                    "-o", "yaml")
        self.release.kubectl("apply", "-f", "-", stdin=text)

    def key(self, name, roles):
        """Of a caller, as a file."""
        path = self.folder / f"{name}.key"
        run(BIN / "phasor", "keys", "create", "--keys-file", self.folder / "keys.jsonl", "--name", name,
            "--roles", roles, "--tenant", name, "-o", path)
        return path

    def put_keys(self):
        self.put("api-keys", f"--from-file={self.folder / 'keys.jsonl'}")


def refused(client, what, words, code):
    ended = run(*client.command, *words, check=False)
    expect(what, ended.returncode != 0 and code in ended.stderr, ended.stderr)


def metrics_of(release, pod):
    """What a pod's port says to the API server, which checks no certificate."""
    path = f"/api/v1/namespaces/{release.namespace}/pods/https:{pod}:9464/proxy/metrics"
    return release.kubectl("get", "--raw", path, check=False)


def check(options, release, folder):
    credentials = Credentials(release, folder, options.node)
    serial = credentials.certificate("gateway-tls", credentials.names)
    credentials.certificate("worker-tls")
    credentials.certificate("metrics-tls", credentials.names)
    credentials.put("worker-key", f"--from-file=credential={credentials.key('workers', 'work')}")
    mine = credentials.key("me", "draw,read,operate")
    credentials.put("test-key", f"--from-file=credential={mine}")
    credentials.put_keys()
    release.install()
    expect("installed with everything on", True)
    release.helm("test", "--timeout", f"{LIMIT}s")
    expect("helm test, with its credential, over TLS", True)

    address = f"{options.node}:{release.node_port()}"
    tls = ["--tls-ca", credentials.authority.certificate]
    client = Client(f"grpcs://{address}", *tls, "--credential-file", mine)
    drawn = client("generate", "--model", "phasor-demo", "a blue star", "-o", folder / "star.png")
    expect("a picture for who has key and authority", drawn.returncode == 0, drawn.stderr)
    refused(Client(f"grpcs://{address}", *tls), "nobody without a key", ["models"], "needs a valid credential")
    refused(Client(address, "--credential-file", mine), "nobody in plain text", ["models"], "speaks TLS")
    refused(client, "no operator's call where clients are served", ["stats"],
            "--listen-admin")
    check_metrics(release)
    if options.collector:
        within(LIMIT, "the collector has one trace of a job, from gateway to picture", is_traced)
    check_replacing(options, release, credentials, folder, address, serial)
    if options.keep:
        (folder / "star.png").rename(options.keep)


def check_metrics(release):
    pods = json.loads(release.kubectl("get", "pods", "-o", "json", "-l",
                                      "app.kubernetes.io/component in (gateway, worker)"))["items"]
    for pod in pods:
        name = pod["metadata"]["name"]
        asked = metrics_of(release, name)
        expect(f"{name} serves metrics over TLS", "phasor_" in asked.stdout, asked.stderr)
        ready = all(one["ready"] for one in pod["status"]["containerStatuses"])
        expect(f"{name} is ready by probes over TLS", ready)


def is_traced():
    """Whether the collector printed every span of a trace."""
    log = run(KUBECTL, "-n", MONITORING, "logs", "deployment/collector")
    names = collections.defaultdict(set)
    for trace, name in re.findall(r"Trace ID +: (\w+)\n.*?Name +: (\w+)\n", log, re.DOTALL):
        names[trace].add(name)
    return any(found >= {"submit", "queue", "job", "load", "encode", "denoise", "decode", "publish"}
               for found in names.values())


def check_replacing(options, release, credentials, folder, address, serial):
    restarts = pods_of(release)
    newer = credentials.certificate("gateway-tls", credentials.names)
    within(LIMIT, "a new certificate is shown", lambda: certificates.shown_by(address) == newer)
    expect("it is another one", newer != serial)
    other = credentials.key("other", "read")
    credentials.put_keys()
    client = Client(f"grpcs://{address}", "--tls-ca", credentials.authority.certificate,
                    "--credential-file", other)
    within(LIMIT, "a new key lets in", lambda: run(*client.command, "models", check=False).returncode == 0)
    expect("and nothing was started anew for either", pods_of(release) == restarts)


def pods_of(release):
    pods = json.loads(release.kubectl("get", "pods", "-o", "json"))["items"]
    return {pod["metadata"]["name"]: [one["restartCount"] for one in pod["status"]["containerStatuses"]]
            for pod in pods if pod["status"]["phase"] == "Running"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--node", required=True)
    parser.add_argument("--collector", help="its image, which nodes have")
    parser.add_argument("--keep", type=pathlib.Path, help="where a picture goes")
    options = parser.parse_args()
    values = VALUES + [f"tracing.endpoint=http://collector.{MONITORING}:4318"] * bool(options.collector)
    more = [word for value in values for word in ("--set", value)]
    collector = contextlib.nullcontext()
    if options.collector:
        text = (CLUSTER / "collector.yaml").read_text().replace("image: IMAGE", f"image: {options.collector}")
        collector = Objects(text, MONITORING)
    with collector, Release("dev-cpu", *more) as release, tempfile.TemporaryDirectory() as name:
        check(options, release, pathlib.Path(name))
        release.helm("uninstall", "--wait")


if __name__ == "__main__":
    main()
