#!/usr/bin/env python3
"""Installs the chart into the cluster that kubectl talks to, which should be one to throw away.

    cluster_test.py lifecycle [PRESET...]    strict dry run on the server, install, test, upgrade, rollback,
                                             uninstall and install again, in a namespace that enforces
                                             the restricted Pod Security Standard
    cluster_test.py stream --node ADDRESS    with the preset dev-cpu on nodes that run their pods: pods are
                                             killed, a node is drained, the release is upgraded and rolled back
                                             under a stream of jobs; needs BIN_DIR for the command line, and a
                                             node's address, where it asks by NodePort

Images are taken from REGISTRY, if that is set, by the chart's own names; a cluster has to have them. KUBECTL and
HELM name the programs. Namespaces are called phasor-test-PRESET and are deleted afterwards.
"""

import argparse
import json
import os
import pathlib
import random
import tempfile

from chart import CHART, HELM, PRESETS
from stream import LIMIT, Client, check_stream, expect, run

KUBECTL = os.environ.get("KUBECTL", "kubectl")
# What tests put beside a release, and where.
CLUSTER = pathlib.Path(__file__).resolve().parent / "cluster"
MONITORING = "phasor-test-monitoring"
# A cluster has classes of its own.
CLASSES = ["--set", "redis.persistence.storageClassName=null,store.pvc.storageClassName=null"]
LEFT = {"secret/phasor-test-secrets", "persistentvolumeclaim/data-phasor-test-redis-0",
        "persistentvolumeclaim/phasor-test-store"}
GIVEN = {"external-redis": ("phasor-redis", ["redis-password"]),
         "eks": ("phasor-s3", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])}


class Objects:
    """Applied, and their deployments available, while the block runs."""

    def __init__(self, text, namespace):
        self.text, self.namespace = text, namespace

    def __enter__(self):
        run(KUBECTL, "apply", "--server-side", "-f", "-", stdin=self.text)
        run(KUBECTL, "-n", self.namespace, "wait", "--for=condition=Available", "deployment", "--all",
            f"--timeout={LIMIT}s")

    def __exit__(self, *_):
        run(KUBECTL, "delete", "--ignore-not-found", "--timeout=60s", "-f", "-", stdin=self.text, check=False)


class Release:
    """phasor-test in a namespace of its own."""

    def __init__(self, preset, *more):
        self.preset, self.namespace = preset, f"phasor-test-{preset}"
        self.values = ["-f", CHART / f"values-{preset}.yaml", *CLASSES, *more]
        if os.environ.get("REGISTRY"):
            self.values += ["--set", f"image.registry={os.environ['REGISTRY']}"]

    def __enter__(self):
        run(KUBECTL, "create", "namespace", self.namespace)
        run(KUBECTL, "label", "namespace", self.namespace,
            *(f"pod-security.kubernetes.io/{what}=restricted" for what in ("enforce", "warn")))
        if self.preset in GIVEN:
            name, keys = GIVEN[self.preset]
            self.kubectl("create", "secret", "generic", name,
                         *(f"--from-literal={key}=x" for key in keys))
        return self

    def __exit__(self, *_):
        run(KUBECTL, "delete", "namespace", self.namespace, "--wait=false")

    def kubectl(self, *words, **options):
        return run(KUBECTL, "-n", self.namespace, *words, **options)

    def helm(self, verb, *words):
        return run(HELM, "-n", self.namespace, verb, "phasor-test", *words)

    def install(self, verb="install", *more):
        return self.helm(verb, CHART, *self.values, *more, "--wait", "--timeout", f"{LIMIT}s")

    def node_port(self):
        """Where a node serves the gateways' clients."""
        return self.kubectl("get", "service", "phasor-test-gateway", "-o",
                            "jsonpath={.spec.ports[0].nodePort}")

    def objects(self):
        kinds = "all,configmap,secret,pvc,pdb,networkpolicy,hpa,serviceaccount"
        names = self.kubectl("get", kinds, "-o", "name").split()
        ours = {name.split("/")[0].split(".")[0] + "/" + name.split("/")[1] for name in names}
        return {name for name in ours if "phasor-test" in name}

    def level(self):
        """What the workers' template says of the log: upgrades change it here."""
        spec = json.loads(self.kubectl("get", "deployment", "-o", "json", "-l",
                                       "app.kubernetes.io/component=worker"))["items"][0]["spec"]
        env = spec["template"]["spec"]["containers"][0]["env"]
        return next(one["value"] for one in env if one["name"] == "PHASOR_LOG_LEVEL")

    def secret(self):
        found = self.kubectl("get", "secret", "phasor-test-secrets", "-o", "json", check=False)
        return json.loads(found.stdout)["data"] if found.returncode == 0 else None


def lifecycle(preset):
    with Release(preset) as release:
        # Without the pod of the test, whose service account a dry run does not make.
        text = run(HELM, "template", "phasor-test", CHART, "--no-hooks", "-n", release.namespace,
                   *release.values)
        dry = release.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-",
                              stdin=text, check=False)
        odd = [line for line in dry.stderr.splitlines() if "last-applied-configuration" not in line]
        expect(f"{preset}: the server takes every object, without a warning",
               dry.returncode == 0 and not odd, dry.stderr)
        said = release.install()
        expect(f"{preset}: installed", "is installed as phasor-test" in said)
        release.helm("test", "--timeout", f"{LIMIT}s")
        expect(f"{preset}: helm test", True)
        secret = release.secret()
        release.install("upgrade", "--set", "log.level=debug")
        expect(f"{preset}: upgraded", release.level() == "debug")
        expect(f"{preset}: an upgrade keeps the secrets", release.secret() == secret)
        release.helm("rollback", "1", "--wait", "--timeout", f"{LIMIT}s")
        expect(f"{preset}: rolled back", release.level() == "info")
        release.helm("uninstall", "--wait")
        release.kubectl("delete", "pod", "phasor-test-test", "--ignore-not-found")
        release.kubectl("wait", "--for=delete", "pod", "--all", f"--timeout={LIMIT}s")
        left = release.objects()
        expect(f"{preset}: only what is to be kept is left", left <= LEFT, left)
        release.install()
        expect(f"{preset}: installed again, with the same secrets", release.secret() == secret)
        release.helm("uninstall", "--wait")


def kill_one(kubectl, selector):
    """A pod of those that `selector` names, by force; whether there was any."""
    pods = kubectl("get", "pods", "-o", "name", "-l", selector).split()
    if pods:
        kubectl("delete", random.choice(pods), "--grace-period=0", "--force", check=False)
    return bool(pods)


class Disturbance:
    """What happens to a release while jobs run, one thing after the other. Upgrades change the log's level, and
    go to images of the tag `other`, if there is one."""

    def __init__(self, release, other=None):
        self.release, self.done, self.level = release, {}, "info"
        self.changed = "log.level=debug"
        if other:
            self.changed += f",gateway.image.tag={other},worker.image.tag={other}"
        self.steps = [lambda: self.kill("worker"), lambda: self.kill("gateway"),
                      lambda: self.kill("redis"), lambda: self.kill("worker"), self.roll, self.drain]

    def kill(self, component):
        if not kill_one(self.release.kubectl, f"app.kubernetes.io/component={component}"):
            return None
        return f"{component} killed"

    def roll(self):
        """An upgrade that changes every pod of ours, or the way back."""
        self.level = "info" if self.level == "debug" else "debug"
        if self.level == "debug":
            self.release.helm("upgrade", CHART, *self.release.values, "--set", self.changed)
            return "upgrade"
        self.release.helm("rollback", "1")
        return "rollback"

    def drain(self):
        pods = self.release.kubectl("get", "pods", "-o", "json", "-l",
                                    "app.kubernetes.io/component=worker")
        nodes = [pod["spec"].get("nodeName") for pod in json.loads(pods)["items"]]
        if not any(nodes):
            return None
        node = next(filter(None, nodes))
        # Budgets may hold it up where there is no other node: it need not come to its end.
        run(KUBECTL, "drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=15s",
            "--pod-selector=app.kubernetes.io/instance=phasor-test", check=False)
        run(KUBECTL, "uncordon", node)
        return "node drained"

    def go_on(self, step):
        what = self.steps[step % len(self.steps)]()
        if what:
            self.done[what] = self.done.get(what, 0) + 1


def stream(options):
    more = ["--set", "gateway.service.type=NodePort,worker.replicas=2,gateway.replicas=2"]
    with Release("dev-cpu", *more) as release, tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        release.install()
        client = Client(f"{options.node}:{release.node_port()}")
        disturbance = Disturbance(release, options.other)
        picture = check_stream(client, options, folder, disturbance)
        if options.keep:
            picture.rename(options.keep)
        print(f"{options.jobs} jobs; {disturbance.done}")
        release.helm("uninstall", "--wait")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = parser.add_subparsers(dest="part", required=True)
    parts.add_parser("lifecycle").add_argument("presets", nargs="*")
    streaming = parts.add_parser("stream")
    streaming.add_argument("--node", required=True)
    streaming.add_argument("--jobs", type=int, default=40)
    streaming.add_argument("--steps", type=int, default=20)
    streaming.add_argument("--pause", type=float, default=12, help="seconds between two events")
    streaming.add_argument("--other", metavar="TAG", help="of another version's images, to upgrade to and back")
    streaming.add_argument("--keep", type=pathlib.Path, help="where a picture goes")
    options = parser.parse_args()
    if options.part == "stream":
        return stream(options)
    for preset in options.presets or PRESETS:
        lifecycle(preset)


if __name__ == "__main__":
    main()
