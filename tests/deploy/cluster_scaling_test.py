#!/usr/bin/env python3
"""Workers that follow the queue's number, as a Prometheus in the cluster has it, on a node that runs its pods: by KEDA, from none
and back, and by Kubernetes' HorizontalPodAutoscaler with prometheus-adapter, whose rules are those of docs/deploy.md.

    cluster_scaling_test.py --node ADDRESS --scalers FOLDER [--jobs N] [keda] [hpa]

As with cluster_test.py stream, whose variables it takes. FOLDER is what cluster/scalers.sh wrote; nodes have its images and
prom/prometheus:v3.5.0 (stand_ins.sh). Under a stream of jobs three workers come; while no number is to be had
nothing changes; then they go, and every picture is that of an undisturbed run.
"""

import argparse
import json
import pathlib
import re
import tempfile
import time

from cluster_test import CLUSTER, MONITORING, Objects, Release
from stream import LIMIT, Client, check_stream, expect, within

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs" / "deploy.md"
MODEL, MOST = "phasor-demo", 3
DOWN = 30  # seconds for which fewer must have been enough
VALUES = ["gateway.service.type=NodePort", "gateway.replicas=2", "worker.autoscaling.pollingInterval=5",
          f"worker.autoscaling.prometheus.serverAddress=http://prometheus.{MONITORING}:9090",
          f"worker.autoscaling.maxReplicas={MOST}", f"worker.autoscaling.cooldownSeconds={DOWN}",
          f"worker.autoscaling.scaleDownStabilizationSeconds={DOWN}"]
LEAST = {"keda": 0, "hpa": 1}


def adapter_rules():
    """A ConfigMap with what docs/deploy.md tells people to write."""
    rules = re.search(r"```yaml\n(rules:\n.*?external:.*?)```", DOCS.read_text(), re.S)[1]
    lines = [line[2:] for line in rules.splitlines()[1:]]  # as the adapter's Helm chart takes them
    text = "\n".join(lines).replace("external:", "externalRules:", 1)
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap",
                       "metadata": {"name": "adapter", "namespace": MONITORING},
                       "data": {"config.yaml": text}})


def objects_of(scaler, folder):
    if scaler == "keda":
        return Objects((folder / "keda.yaml").read_text(), "keda")
    return Objects(adapter_rules() + "\n---\n" + (CLUSTER / "adapter.yaml").read_text(), MONITORING)


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


def set_gateways(release, count):
    release.kubectl("scale", "deployment", "phasor-test-gateway", f"--replicas={count}")
    release.kubectl("rollout", "status", "deployment", "phasor-test-gateway", f"--timeout={LIMIT}s")


def check_without_number(release, watched, scaler):
    """Gateways, which tell the number, are away while there is nothing to do: what has no number is not
    taken for idle."""
    set_gateways(release, 0)
    if scaler == "keda":
        within(LIMIT, "from none, without a number the worker of the fallback comes",
               lambda: watched.workers() == 1)
    time.sleep(DOWN + 60)
    expect("without a number one worker stays", watched.workers() == 1, str(watched.workers()))
    set_gateways(release, 2)


def check(options, release, folder, scaler):
    least = LEAST[scaler]
    release.install()
    watched = Watched(release)
    within(LIMIT, f"{least} workers while there is nothing to do", lambda: watched.workers() == least)
    client = Client(f"{options.node}:{release.node_port()}")
    began = time.monotonic()
    client.picture(client("submit", "--model", MODEL, "a red star").stdout.strip(), folder)
    print(f"     a picture {time.monotonic() - began:.0f} s after it was asked for")
    check_stream(client, options, folder, watched)
    expect(f"{MOST} workers came for the jobs", watched.most == MOST, str(watched.most))
    for n in range(4 * MOST):
        client("submit", "--model", MODEL, "--steps", "100", "--key", f"later-{n}", "a green star")
    within(LIMIT, "as many come, or stay, for more", lambda: watched.workers() == MOST)
    set_gateways(release, 0)
    time.sleep(DOWN + 60)
    expect("without a number nothing changes", watched.workers() == MOST, str(watched.workers()))
    set_gateways(release, 2)
    began = time.monotonic()
    within(LIMIT, f"{least} workers are left when there is nothing to do", lambda: watched.workers() == least)
    print(f"     {options.jobs} jobs; {least} workers again after {time.monotonic() - began:.0f} s")
    check_without_number(release, watched, scaler)
    within(LIMIT, f"and {least} when there is one", lambda: watched.workers() == least)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("by", nargs="*", default=list(LEAST))
    parser.add_argument("--node", required=True)
    parser.add_argument("--scalers", dest="folder", type=pathlib.Path, required=True)
    parser.add_argument("--jobs", type=int, default=60)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--pause", type=float, default=3, help="seconds between two looks")
    options = parser.parse_args()
    for scaler in options.by:
        values = VALUES + [f"worker.autoscaling.type={scaler}", f"worker.autoscaling.minReplicas={LEAST[scaler]}"]
        more = [word for value in values for word in ("--set", value)]
        with Objects((CLUSTER / "prometheus.yaml").read_text(), MONITORING), \
                objects_of(scaler, options.folder), Release("dev-cpu", *more) as release, \
                tempfile.TemporaryDirectory() as name:
            print(f"{scaler}:")
            check(options, release, pathlib.Path(name), scaler)
            release.helm("uninstall", "--wait")


if __name__ == "__main__":
    main()
