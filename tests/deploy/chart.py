"""The chart as `helm template` renders it, for the tests of this folder. HELM names the program."""

import os
import pathlib
import subprocess

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "helm" / "phasor"
PRESETS = sorted(path.stem.removeprefix("values-") for path in CHART.glob("values-*.yaml"))
HELM = os.environ.get("HELM", "helm")
GATEWAY = ("Deployment", "r-phasor-gateway")
WORKER = ("Deployment", "r-phasor-worker-phasor-demo")
KEDA = {"type": "keda", "prometheus": {"serverAddress": "http://p:9090"}}


class Refused(Exception):
    """The chart does not render; the text says why."""


class Rendered(dict):
    """Objects by (kind, name)."""

    def one(self, kind, name):
        return self[kind, name]

    def of(self, kind):
        return [thing for (have, _), thing in self.items() if have == kind]

    def pods(self):
        """Yields the spec of every pod, made by whatever."""
        for thing in self.values():
            if thing["kind"] == "Pod":
                yield thing["metadata"]["name"], thing["spec"]
            elif thing["kind"] in ("Deployment", "StatefulSet"):
                yield thing["metadata"]["name"], thing["spec"]["template"]["spec"]


def render(values=None, preset=None, kubernetes="1.33.0", release="r", options=()):
    """Objects of release r in the namespace ns."""
    command = [HELM, "template", release, str(CHART), "--namespace", "ns",
               "--kube-version", kubernetes, *options]
    for name in [preset] if isinstance(preset, str) else preset or []:
        command += ["-f", str(CHART / f"values-{name}.yaml")]
    command += ["-f", "-"]
    ended = subprocess.run(command, input=yaml.safe_dump(values or {}), capture_output=True,
                           text=True)
    if ended.returncode != 0:
        raise Refused(ended.stderr)
    rendered = Rendered()
    for thing in yaml.safe_load_all(ended.stdout):
        if thing:
            key = thing["kind"], thing["metadata"]["name"]
            assert key not in rendered, f"{key} twice"
            rendered[key] = thing
    return rendered


def env_of(container):
    """Values of the variables that are given as they are."""
    return {one["name"]: one.get("value") for one in container["env"]}


def model(name="m", source=None, **more):
    """An entry of `models`."""
    return {"name": name, "source": source or {"type": "baked", "path": "/m"},
            "card": {"defaults": {"width": 512, "height": 512}}, **more}


def container(rendered, key):
    return rendered[key]["spec"]["template"]["spec"]["containers"][0]


def secret_of(pod, path):
    """The Secret or ConfigMap, and its key, that the pod's first container has at a path."""
    folder, file = path.rsplit("/", 1)
    name = next(m["name"] for m in pod["containers"][0]["volumeMounts"] if m["mountPath"] == folder)
    volume = next(v for v in pod["volumes"] if v["name"] == name)
    source = volume.get("secret") or volume["configMap"]
    key = next(item["key"] for item in source["items"] if item["path"] == file)
    return source.get("secretName") or source["name"], key


def password_of(rendered, key):
    pod = rendered[key]["spec"]["template"]["spec"]
    return secret_of(pod, env_of(pod["containers"][0])["PHASOR_REDIS_PASSWORD_FILE"])
