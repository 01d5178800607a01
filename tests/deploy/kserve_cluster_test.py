#!/usr/bin/env python3
"""deploy/kserve in the cluster that kubectl talks to, which should be one to throw away.

    kserve_cluster_test.py objects       a strict dry run on the server; needs the CRDs of KServe, KEDA and the
                                         Gateway API
    kserve_cluster_test.py controller    what KServe's controller and webhooks make of it
    kserve_cluster_test.py stream --node ADDRESS --tools IMAGE
                                         on nodes that run their pods: an InferenceService's pods are killed, and
                                         Redis, under a stream of jobs. BIN_DIR has the command line, IMAGE
                                         tar and sleep

KUBECTL names the program. The namespace is called phasor-test-kserve, enforces the restricted Pod Security
Standard, and is deleted afterwards.
"""

import argparse
import json
import os
import pathlib
import re
import tempfile
import time

import yaml

from cluster_test import KUBECTL, kill_one
from stream import Client, check_stream, expect, run

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "kserve"
NAMESPACE = "phasor-test-kserve"
LIMIT = int(os.environ.get("LIMIT", "120"))  # seconds
WORKER, GATEWAY = "kserve-container", "transformer-container"
PREDICTOR = "phasor-demo-predictor"


def kubectl(*words, **options):
    return run(KUBECTL, "-n", NAMESPACE, *words, **options)


def built(folder):
    return run(KUBECTL, "kustomize", FOLDER / folder)


def found(kind, name):
    """The object, or {}."""
    ended = kubectl("get", kind, name, "-o", "json", check=False)
    return json.loads(ended.stdout) if ended.returncode == 0 else {}


def wait(what, condition):
    end = time.monotonic() + LIMIT
    while not (value := condition()):
        if time.monotonic() > end:
            expect(what, False, f"not within {LIMIT} s")
        time.sleep(1)
    return value


def dry_run(text):
    return kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=text, check=False)


def pod_of(runtime, **more):
    """As KServe makes one where the InferenceService adds nothing but its model."""
    spec = {key: runtime["spec"][key] for key in ("containers", "volumes")}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {**spec, **more}}


def objects():
    for folder in ("runtime", "model", "example"):
        ended = dry_run(built(folder))
        odd = [line for line in ended.stderr.splitlines() if "last-applied" not in line]
        expect(f"{folder}: the server takes every object, without a warning",
               ended.returncode == 0 and not odd, ended.stderr)
    for right, wrong in (("readinessProbe", "readynessProbe"), ("storageUri", "storageURI"),
                         ("backendRefs", "backendRef"), ("minReplicaCount", "minReplicas")):
        ended = dry_run(built("example").replace(f"{right}:", f"{wrong}:"))
        expect(f"{wrong} is refused", ended.returncode != 0 and wrong in ended.stderr, ended.stderr)
    wait("the namespace has its service account", lambda: found("serviceaccount", "default"))
    for path in (FOLDER / "runtime").glob("servingruntime-*"):
        runtime = yaml.safe_load(path.read_text(encoding="utf-8"))
        ended = dry_run(yaml.safe_dump(pod_of(runtime)))
        expect(f"restricted lets a pod of {path.stem} in", ended.returncode == 0, ended.stderr)
        ended = dry_run(yaml.safe_dump(pod_of(runtime, hostNetwork=True)))
        expect("and not one that asks for more", "violates PodSecurity" in ended.stderr, ended.stderr)


def check_service(service):
    ports = [(port["name"], port["port"], port["targetPort"], port.get("appProtocol"))
             for port in service["spec"]["ports"]]
    expect("its Service is made of the gateway's ports",
           ports == [("h2c", 80, 50051, "kubernetes.io/h2c"), ("metrics", 9464, 9464, None)], ports)


def check_deployment(deployment, wanted):
    spec = deployment["spec"]
    pod = spec["template"]["spec"]
    names = [container["name"] for container in pod["containers"]]
    expect("a pod has a worker and a gateway", names == [WORKER, GATEWAY], names)
    expect("as many pods as asked for", spec["replicas"] == wanted["minReplicas"], spec["replicas"])
    expect("a rollout as asked for", spec["strategy"] == wanted["deploymentStrategy"], spec["strategy"])
    for key in ("automountServiceAccountToken", "terminationGracePeriodSeconds", "enableServiceLinks"):
        expect(f"{key} as asked for", pod[key] == wanted[key], pod.get(key))
    env = {one["name"]: one.get("value") for one in pod["containers"][0]["env"]}
    expect("the worker's grace is the InferenceService's", env["PHASOR_GRACE"] == "25", env)
    for container in pod["containers"]:
        named = next(one["value"] for one in container["env"] if one["name"] == "PHASOR_MODELS")
        expect(f"{container['name']} has the InferenceService's name for the model",
               named == "phasor-demo=/mnt/models", named)
        asked = container["readinessProbe"]["httpGet"]["path"]
        expect(f"{container['name']} keeps its own probe", asked == "/readyz", asked)


def check_pod(pod, source):
    for container in pod["spec"]["containers"]:
        mounts = [m for m in container["volumeMounts"] if m["mountPath"] == "/mnt/models"]
        expect(f"{container['name']} has the model", len(mounts) == 1 and mounts[0]["readOnly"], mounts)
        volume = next(v for v in pod["spec"]["volumes"] if v["name"] == mounts[0]["name"])
        expect(f"{container['name']} has it from the {source}", source in volume, volume)
    tokens = [v for v in pod["spec"]["volumes"] if v["name"].startswith("kube-api-access")]
    expect("a pod has no token", not tokens, tokens)


def pods():
    text = kubectl("get", "pods", "-o", "json", "-l", f"app=isvc.{PREDICTOR}")
    return [one for one in json.loads(text)["items"] if "deletionTimestamp" not in one["metadata"]]


def failure():
    """What KServe says of the InferenceService `odd`."""
    return found("inferenceservice", "odd").get("status", {}).get("modelStatus", {}).get(
        "lastFailureInfo", {}).get("message", "")


def check_refusals():
    service = yaml.safe_load((FOLDER / "model/inference-service.yaml").read_text(encoding="utf-8"))
    service["metadata"]["name"] = "odd"
    for protocol in ("v1", "v2", "grpc-v2"):
        service["spec"]["predictor"]["model"]["protocolVersion"] = protocol
        kubectl("apply", "-f", "-", stdin=yaml.safe_dump(service))
        said = wait(f"{protocol} is refused", failure)
        expect(f"an InferenceService that asks for {protocol} gets no pods",
               "does not support specified protocol" in said
               and not found("deployment", "odd-predictor"), said)
        kubectl("delete", "inferenceservice", "odd")


def let_restricted_take_what_fetches():
    """As docs/kserve.md says: the container that fetches models lacks what the standard asks for."""
    page = (ROOT / "docs/kserve.md").read_text(encoding="utf-8")
    patch = re.search(r"clusterstoragecontainer default --type merge -p '(.*?)'", page, re.DOTALL)[1]
    run(KUBECTL, "patch", "clusterstoragecontainer", "default", "--type", "merge", "-p", patch)


def condition(name, kind):
    conditions = found("inferenceservice", name).get("status", {}).get("conditions", [])
    return next((one["status"] for one in conditions if one["type"] == kind), None)


def controller():
    kubectl("apply", "-k", ROOT / "deploy/kubernetes/overlays/dev-cpu")
    kubectl("apply", "-k", FOLDER)
    wanted = yaml.safe_load((FOLDER / "model/inference-service.yaml").read_text())["spec"]["predictor"]
    deployment = wait("a Deployment is made", lambda: found("deployment", PREDICTOR))
    check_deployment(deployment, wanted)
    check_service(wait("a Service is made", lambda: found("service", PREDICTOR)))
    wait("restricted lets both pods in", lambda: len(pods()) == wanted["minReplicas"])
    expect("restricted lets both pods in", True)
    for pod in pods():
        check_pod(pod, "persistentVolumeClaim")
    wait("ready", lambda: condition("phasor-demo", "Ready") == "True")
    expect("the InferenceService is ready", True)
    expect("no autoscaler is made", not found("hpa", PREDICTOR))
    check_refusals()
    let_restricted_take_what_fetches()
    kubectl("apply", "-k", FOLDER / "example")
    wait("the model comes from S3, on a GPU", lambda: pods() and all(
        "initContainers" in pod["spec"] for pod in pods()))
    for pod in pods():
        check_pod(pod, "emptyDir")
        (first,) = pod["spec"]["initContainers"]
        keys = {one["name"] for one in first.get("env", [])}
        expect("what fetches it has the keys", {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} <= keys, keys)
        limits = pod["spec"]["containers"][0]["resources"]["limits"]
        expect("its worker asks for a GPU", limits.get("nvidia.com/gpu") == "1", limits)
    expect("the ScaledObject is not KServe's",
           "ownerReferences" not in found("scaledobject", "phasor-demo")["metadata"])


def put_model(image):
    """The demo model on the claim of deploy/kserve."""
    inside = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "copy"}, "spec": {
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "fsGroup": 65532,
                            "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{"name": "copy", "image": image, "command": ["sleep", "600"], "securityContext": inside,
                        "volumeMounts": [{"name": "models", "mountPath": "/models"}]}],
        "volumes": [{"name": "models", "persistentVolumeClaim": {"claimName": "phasor-models"}}]}}
    kubectl("apply", "-f", "-", stdin=json.dumps(pod))
    kubectl("wait", "--for=condition=Ready", "pod/copy", f"--timeout={LIMIT}s")
    kubectl("cp", ROOT / "models/phasor-demo", "copy:/models/")
    kubectl("delete", "pod", "copy", "--grace-period=0", "--force")


def port_at_nodes():
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "stream"},
               "spec": {"type": "NodePort", "selector": {"app": f"isvc.{PREDICTOR}"},
                        "ports": [{"port": 50051, "targetPort": 50051}]}}
    kubectl("apply", "-f", "-", stdin=json.dumps(service))
    return kubectl("get", "service", "stream", "-o", "jsonpath={.spec.ports[0].nodePort}")


class Kills:
    def __init__(self):
        self.done = {}

    def go_on(self, step):
        who = "app.kubernetes.io/component=redis" if step % 3 == 2 else f"app=isvc.{PREDICTOR}"
        if kill_one(kubectl, who):
            self.done[who] = self.done.get(who, 0) + 1


def stream(options):
    kubectl("apply", "-k", ROOT / "deploy/kubernetes/overlays/dev-cpu")
    # So that nobody but the InferenceService's pods draws.
    kubectl("scale", "deployment", "-l", "app.kubernetes.io/component=worker", "--replicas=0")
    kubectl("apply", "-k", FOLDER)
    # A node to throw away need not have the cores that the runtime asks for.
    kubectl("patch", "inferenceservice", "phasor-demo", "--type=merge", "-p", json.dumps(
        {"spec": {"predictor": {"model": {"resources": {"requests": {"cpu": "100m"}}}}}}))
    put_model(options.tools)
    wait("ready", lambda: condition("phasor-demo", "Ready") == "True")
    expect("the InferenceService is ready", True)
    kills = Kills()
    with tempfile.TemporaryDirectory() as folder:
        check_stream(Client(f"{options.node}:{port_at_nodes()}"), options, pathlib.Path(folder), kills)
    print(f"{options.jobs} jobs; killed: {kills.done}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = parser.add_subparsers(dest="part", required=True)
    parts.add_parser("objects").set_defaults(run=lambda _: objects())
    parts.add_parser("controller").set_defaults(run=lambda _: controller())
    streaming = parts.add_parser("stream")
    streaming.set_defaults(run=stream)
    streaming.add_argument("--node", required=True)
    streaming.add_argument("--tools", required=True)
    streaming.add_argument("--jobs", type=int, default=30)
    streaming.add_argument("--steps", type=int, default=20)
    streaming.add_argument("--pause", type=float, default=12, help="seconds between two kills")
    options = parser.parse_args()
    run(KUBECTL, "delete", "namespace", NAMESPACE, "--ignore-not-found")  # one that still goes
    run(KUBECTL, "create", "namespace", NAMESPACE)
    try:
        run(KUBECTL, "label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted")
        options.run(options)
    finally:
        run(KUBECTL, "delete", "namespace", NAMESPACE, "--wait=false")


if __name__ == "__main__":
    main()
