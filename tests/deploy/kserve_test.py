#!/usr/bin/env python3
"""The files of deploy/kserve fit the programs, the chart's base and each other.

Needs Python and PyYAML. With KUBECTL, what kustomize makes of them is looked at, too, with HELM what the chart
renders; kserve_cluster_test.py asks a server, and KServe itself.
"""

import functools
import importlib.machinery
import importlib.util
import os
import pathlib
import re
import subprocess
import unittest

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "kserve"
BASE = ROOT / "deploy" / "kubernetes" / "base"
WORKER, GATEWAY = "kserve-container", "transformer-container"  # KServe knows no other names
PROGRAM = {WORKER: "worker", GATEWAY: "gateway"}
KSERVE_PROTOCOLS = {"v1", "v2", "grpc-v1", "grpc-v2"}
DEFAULT_GRACE = 30  # seconds, of a pod whose InferenceService says nothing
HAND_BACK = 20  # seconds, worker.handBackSeconds of the chart
FIXED = ("REDIS", "REDIS_PASSWORD_FILE", "STORE", "LEASE", "STALL", "STRATEGY", "GROUP",
         "GROUP_WAIT", "CACHE", "NODE", "LOG_LEVEL", "LOG_FORMAT", "SECRET_FILE", "KEEP_RESULTS",
         "KEEP_RECORDS", "INSECURE")  # what pods of InferenceServices share with the fleet's
HAS_KSERVE = ("--api-versions", "serving.kserve.io/v1alpha1/ServingRuntime")
EXTRA = {"extraEnv": [{"name": "A", "value": "b"}], "envFrom": [{"secretRef": {"name": "e"}}],
         "extraVolumes": [{"name": "v", "secret": {"secretName": "v"}}],
         "extraVolumeMounts": [{"name": "v", "mountPath": "/v"}]}
OPTIONS = (
    {},
    {"store": {"type": "pvc"}},
    {"store": {"type": "url", "url": "s3://b/p", "existingSecret": "s"}},
    {"redis": {"enabled": False, "external": {"host": "h", "tls": True, "tlsSecret": "t",
                                              "tlsShown": True}, "auth": {"existingSecret": "s"}}},
    {"tls": {"secret": "t", "clientCerts": ["workers"], "workerSecret": "w", "metricsSecret": "m"}},
    {"access": {"keys": "file", "keysSecret": "k", "workerSecret": "w",
                "jwt": {"jwksConfigMap": "j", "issuer": "i", "audience": "a"}}},
    {"tracing": {"endpoint": "http://otel:4317"}, "gateway": EXTRA, "worker": EXTRA})


@functools.cache
def check_deploy():
    loader = importlib.machinery.SourceFileLoader("check_deploy", str(ROOT / "tools/check_deploy"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("check_deploy", loader))
    loader.exec_module(module)
    return module


def documents(path):
    return [one for one in yaml.safe_load_all(path.read_text(encoding="utf-8")) if one]


def one(path):
    (document,) = documents(FOLDER / path)
    return document


def runtimes():
    return {found["metadata"]["name"]: found for path in (FOLDER / "runtime").glob("servingruntime-*")
            for found in documents(path)}


def containers():
    """Yields (runtime's name, container) of all."""
    for name, runtime in runtimes().items():
        for container in runtime["spec"]["containers"]:
            yield name, container


def container_of(runtime, name):
    return next(c for c in runtime["spec"]["containers"] if c["name"] == name)


def env_of(container):
    return {variable["name"]: variable.get("value") for variable in container["env"]}


def ports_of(container):
    return [(port["name"], port["containerPort"]) for port in container["ports"]]


class Runtimes(unittest.TestCase):
    def test_there_is_one_for_each_kind_of_worker(self):
        self.assertEqual(set(runtimes()), {"phasor-cpu", "phasor-cuda"})
        for name, runtime in runtimes().items():
            image = container_of(runtime, WORKER)["image"]
            self.assertIn(f"phasor/worker-{name.removeprefix('phasor-')}:", image)
            limits = container_of(runtime, WORKER)["resources"]["limits"]
            self.assertEqual("nvidia.com/gpu" in limits, name == "phasor-cuda")
            self.assertEqual([c["name"] for c in runtime["spec"]["containers"]], [WORKER, GATEWAY])

    def test_variables_are_settings_of_the_program(self):
        known = {program: check_deploy().variables_of(program) for program in PROGRAM.values()}
        for name, container in containers():
            with self.subTest(runtime=name, container=container["name"]):
                self.assertLessEqual(env_of(container).keys(), known[PROGRAM[container["name"]]])

    def test_images_are_of_the_version_of_the_programs(self):
        version = yaml.safe_load((ROOT / "helm/phasor/Chart.yaml").read_text())["appVersion"]
        for _, container in containers():
            self.assertTrue(container["image"].endswith(f":{version}"), container["image"])

    def test_the_first_port_is_the_door_as_kserve_makes_port_80_of_it(self):
        for _, container in containers():
            if container["name"] == GATEWAY:
                # h2c: KServe says by the name that it is HTTP/2 without TLS.
                self.assertEqual(ports_of(container), [("h2c", check_deploy().GRPC),
                                                       ("metrics", check_deploy().METRICS)])

    def test_declared_ports_are_opened_and_those_of_a_pod_differ(self):
        for name, runtime in runtimes().items():
            with self.subTest(runtime=name):
                opened = [int(value.rsplit(":", 1)[1]) for container in runtime["spec"]["containers"]
                          for variable, value in env_of(container).items()
                          if value and re.match(r"PHASOR_(LISTEN|METRICS)", variable)]
                self.assertEqual(len(opened), len(set(opened)))
                declared = {port for c in runtime["spec"]["containers"] for _, port in ports_of(c)}
                self.assertLessEqual(declared, set(opened))

    def test_operators_and_workers_are_served_within_the_pod_alone(self):
        for name, runtime in runtimes().items():
            with self.subTest(runtime=name):
                gateway = env_of(container_of(runtime, GATEWAY))
                for listener in ("PHASOR_LISTEN_ADMIN", "PHASOR_LISTEN_WORKERS"):
                    self.assertTrue(gateway[listener].startswith("127.0.0.1:"))
                self.assertEqual(env_of(container_of(runtime, WORKER))["PHASOR_GATEWAYS"],
                                 gateway["PHASOR_LISTEN_WORKERS"])

    def test_probes_ask_the_port_of_their_program(self):
        for name, container in containers():
            with self.subTest(runtime=name, container=container["name"]):
                port = int(env_of(container)["PHASOR_METRICS"].rsplit(":", 1)[1])
                paths = {"startupProbe": "/healthz", "livenessProbe": "/healthz",
                         "readinessProbe": "/readyz"}
                for probe, path in paths.items():
                    self.assertEqual(container[probe]["httpGet"], {"path": path, "port": port})

    def test_no_protocol_of_kserve_is_promised(self):
        # There is no HTTP door and no inference.GRPCInferenceService. An empty list would promise all.
        for runtime in runtimes().values():
            self.assertTrue(runtime["spec"]["protocolVersions"])
            self.assertFalse(KSERVE_PROTOCOLS & set(runtime["spec"]["protocolVersions"]))
            for form in runtime["spec"]["supportedModelFormats"]:
                self.assertIs(form["autoSelect"], False)

    def test_the_model_is_where_kserve_puts_it(self):
        for _, container in containers():
            self.assertEqual(env_of(container)["PHASOR_MODELS"], "{{.Name}}=/mnt/models")
            self.assertFalse([m for m in container["volumeMounts"] if m["mountPath"] == "/mnt/models"])

    def test_all_that_restricted_asks_for_stands_at_each_container(self):
        for name, container in containers():
            with self.subTest(runtime=name, container=container["name"]):
                context = container["securityContext"]
                self.assertIs(context["runAsNonRoot"], True)
                self.assertEqual((context["runAsUser"], context["runAsGroup"]), (65532, 65532))
                self.assertEqual(context["seccompProfile"], {"type": "RuntimeDefault"})
                self.assertIs(context["allowPrivilegeEscalation"], False)
                self.assertIs(context["readOnlyRootFilesystem"], True)
                self.assertEqual(context["capabilities"], {"drop": ["ALL"]})
                self.assertIn("memory", container["resources"]["limits"])

    def test_mounts_have_their_volumes_and_folders_a_limit(self):
        for name, runtime in runtimes().items():
            with self.subTest(runtime=name):
                volumes = {volume["name"]: volume for volume in runtime["spec"]["volumes"]}
                mounted = {m["name"] for c in runtime["spec"]["containers"] for m in c["volumeMounts"]}
                self.assertEqual(mounted, set(volumes))
                for volume in volumes.values():
                    self.assertIn("sizeLimit", volume.get("emptyDir", {"sizeLimit": ""}))

    def test_a_pod_that_goes_has_the_time_even_if_nobody_says_how_much(self):
        for name, runtime in runtimes().items():
            with self.subTest(runtime=name):
                worker, gateway = (container_of(runtime, which) for which in (WORKER, GATEWAY))
                self.assertLessEqual(int(env_of(worker)["PHASOR_GRACE"]) + HAND_BACK, DEFAULT_GRACE)
                pause = gateway["lifecycle"]["preStop"]["sleep"]["seconds"]
                self.assertLess(pause + int(env_of(gateway)["PHASOR_GRACE"]), DEFAULT_GRACE)


class Fleet(unittest.TestCase):
    """Pods of InferenceServices are of the fleet that deploy/kubernetes/base makes."""

    def base(self, name):
        (deployment,) = documents(BASE / f"deployment-{name}.yaml")
        return deployment["spec"]["template"]["spec"]

    def pairs(self):
        for runtime in runtimes().values():
            yield container_of(runtime, WORKER), self.base("phasor-worker-phasor-demo")
            yield container_of(runtime, GATEWAY), self.base("phasor-gateway")

    def test_they_agree_with_its_gateways_and_workers(self):
        for container, pod in self.pairs():
            ours, theirs = env_of(container), env_of(pod["containers"][0])
            for name in (f"PHASOR_{word}" for word in FIXED):
                with self.subTest(container=container["name"], variable=name):
                    self.assertEqual((name in ours, ours.get(name)), (name in theirs, theirs.get(name)))
            self.assertLessEqual(theirs.keys() - ours.keys(), set())

    def test_they_have_its_secrets(self):
        for runtime in runtimes().values():
            ours = {v["name"]: v["secret"] for v in runtime["spec"]["volumes"] if "secret" in v}
            theirs = {v["name"]: v["secret"] for v in self.base("phasor-gateway")["volumes"]
                      if "secret" in v}
            self.assertEqual(ours, theirs)

    def test_its_services_do_not_lead_to_them_and_its_redis_lets_them_in(self):
        labels = next(iter(runtimes().values()))["spec"]["labels"]
        for path in BASE.glob("service-*.yaml"):
            selector = documents(path)[0]["spec"]["selector"]
            self.assertFalse(selector.items() <= labels.items(), path.name)
        policy = one("runtime/networkpolicy-phasor-redis-inference.yaml")["spec"]
        redis = documents(BASE / "statefulset-phasor-redis.yaml")[0]["spec"]["template"]["metadata"]
        self.assertLessEqual(policy["podSelector"]["matchLabels"].items(), redis["labels"].items())
        (rule,) = policy["ingress"]
        self.assertLessEqual(rule["from"][0]["podSelector"]["matchLabels"].items(), labels.items())


class Model(unittest.TestCase):
    """The demo model as an InferenceService, and what is made for it."""

    def setUp(self):
        self.service = one("model/inference-service.yaml")
        self.predictor = self.service["spec"]["predictor"]
        self.name = self.service["metadata"]["name"]
        self.app = {"app": f"isvc.{self.name}-predictor"}

    def test_it_is_called_what_its_card_says(self):
        card = yaml.safe_load((ROOT / "models/phasor-demo/phasor.yaml").read_text(encoding="utf-8"))
        self.assertEqual(self.name, card["name"])

    def test_a_runtime_is_named_that_takes_its_format(self):
        model = self.predictor["model"]
        formats = runtimes()[model["runtime"]]["spec"]["supportedModelFormats"]
        self.assertIn(model["modelFormat"]["name"], [form["name"] for form in formats])
        self.assertNotIn("protocolVersion", model)

    def test_its_pods_have_no_token_and_are_as_restricted_asks(self):
        self.assertIs(self.predictor["automountServiceAccountToken"], False)
        self.assertIs(self.predictor["securityContext"]["runAsNonRoot"], True)
        self.assertEqual(self.predictor["securityContext"]["seccompProfile"],
                         {"type": "RuntimeDefault"})
        self.assertIs(one("components/s3/service-account.yaml")["automountServiceAccountToken"], False)

    def test_its_pods_have_the_time_that_its_worker_takes(self):
        (grace,) = [int(v["value"]) for v in self.predictor["model"]["env"]
                    if v["name"] == "PHASOR_GRACE"]
        self.assertGreaterEqual(self.predictor["terminationGracePeriodSeconds"], grace + HAND_BACK)

    def test_its_claim_is_there(self):
        claim = one("model/persistent-volume-claim.yaml")["metadata"]["name"]
        self.assertTrue(self.predictor["model"]["storageUri"].startswith(f"pvc://{claim}/"))

    def test_what_selects_its_pods_selects_them(self):
        self.assertEqual(one("model/disruption-budget.yaml")["spec"]["selector"]["matchLabels"], self.app)
        self.assertEqual(one("components/route/service.yaml")["spec"]["selector"], self.app)
        spread = self.predictor["topologySpreadConstraints"][0]
        self.assertEqual(spread["labelSelector"]["matchLabels"], self.app)

    def test_the_route_leads_to_gateways(self):
        (rule,) = one("components/route/grpc-route.yaml")["spec"]["rules"]
        service = one("components/route/service.yaml")
        (port,) = service["spec"]["ports"]
        self.assertEqual(rule["backendRefs"],
                         [{"name": service["metadata"]["name"], "port": port["port"]}])
        self.assertEqual(port["targetPort"], check_deploy().GRPC)
        self.assertEqual(port["appProtocol"], "kubernetes.io/h2c")

    def test_scaled_is_what_kserve_makes_on_jobs_of_this_model(self):
        spec = one("components/autoscaling/scaled-object.yaml")["spec"]
        self.assertEqual(spec["scaleTargetRef"]["name"], f"{self.name}-predictor")
        metadata = spec["triggers"][0]["metadata"]
        self.assertIn(f'model="{self.name}"', metadata["query"])
        self.assertEqual(metadata["ignoreNullValues"], "false")
        self.assertGreaterEqual(spec["minReplicaCount"], 1)


@unittest.skipUnless(os.environ.get("KUBECTL"), "KUBECTL names no program")
class Kustomize(unittest.TestCase):
    def built(self, folder):
        text = subprocess.run([os.environ["KUBECTL"], "kustomize", FOLDER / folder], check=True,
                              capture_output=True, text=True).stdout
        return {(found["kind"], found["metadata"]["name"]): found for found in yaml.safe_load_all(text)}

    def test_the_whole_has_runtimes_and_model(self):
        objects = self.built(".")
        self.assertEqual({name for kind, name in objects if kind == "ServingRuntime"}, set(runtimes()))
        self.assertIn(("InferenceService", "phasor-demo"), objects)
        self.assertIn(("PersistentVolumeClaim", "phasor-models"), objects)

    def test_the_example_has_every_component(self):
        objects = self.built("example")
        service = objects["InferenceService", "phasor-demo"]
        predictor = service["spec"]["predictor"]
        self.assertEqual(service["metadata"]["annotations"]["serving.kserve.io/autoscalerClass"],
                         "external")
        self.assertEqual(predictor["model"]["runtime"], "phasor-cuda")
        self.assertEqual(predictor["model"]["storageUri"], "s3://models/phasor-demo")
        account = objects["ServiceAccount", predictor["serviceAccountName"]]
        for secret in account["secrets"]:
            self.assertIn(("Secret", secret["name"]), objects)
        for kind in ("GRPCRoute", "ScaledObject", "Service", "PodDisruptionBudget"):
            self.assertIn(kind, {found for found, _ in objects})
        self.assertNotIn("PersistentVolumeClaim", {found for found, _ in objects})


@unittest.skipUnless(os.environ.get("HELM"), "HELM names no program")
class Chart(unittest.TestCase):
    """What kserve.enabled renders."""

    def render(self, **values):
        from chart import render
        return render({"kserve": {"enabled": True}, **values}, options=HAS_KSERVE)

    def pairs(self, rendered):
        """Yields (a runtime's container, the Deployment's of the same program)."""
        for runtime in rendered.of("ServingRuntime"):
            for container in runtime["spec"]["containers"]:
                program = PROGRAM[container["name"]]
                model = "-phasor-demo" if program == "worker" else ""
                deployment = rendered["Deployment", f"r-phasor-{program}{model}"]
                yield container, deployment["spec"]["template"]["spec"]["containers"][0]

    def test_nothing_without_the_flag_and_a_refusal_without_kserve(self):
        from chart import Refused, render
        self.assertFalse(render(options=HAS_KSERVE).of("ServingRuntime"))
        with self.assertRaisesRegex(Refused, "needs KServe"):
            render({"kserve": {"enabled": True}})

    def test_programs_have_what_those_of_the_deployments_have(self):
        for values in OPTIONS:
            for ours, theirs in self.pairs(self.render(**values)):
                with self.subTest(values=values, container=ours["name"]):
                    have, want = env_of(ours), env_of(theirs)
                    self.assertLessEqual(want.keys(), have.keys())
                    own = {"PHASOR_METRICS", "PHASOR_MODELS", "PHASOR_GATEWAYS", "PHASOR_GRACE",
                           "PHASOR_LISTEN_ADMIN", "PHASOR_LISTEN_WORKERS"}
                    for name in want.keys() - own:
                        self.assertEqual(have[name], want[name], name)
                    mounts = {m["mountPath"] for m in theirs["volumeMounts"]}
                    mounts -= {"/etc/phasor/models"}  # cards: a pod has its model
                    self.assertLessEqual(mounts, {m["mountPath"] for m in ours["volumeMounts"]})

    def test_mounts_have_their_volumes(self):
        for values in OPTIONS:
            for runtime in self.render(**values).of("ServingRuntime"):
                with self.subTest(values=values):
                    names = [volume["name"] for volume in runtime["spec"]["volumes"]]
                    self.assertEqual(len(names), len(set(names)))
                    self.assertEqual({m["name"] for c in runtime["spec"]["containers"]
                                      for m in c["volumeMounts"]}, set(names))

    def test_with_tls_the_worker_expects_the_name_of_the_fleet_s_certificate(self):
        for runtime in self.render(tls={"secret": "t"}).of("ServingRuntime"):
            self.assertEqual(env_of(container_of(runtime, WORKER))["PHASOR_TLS_SERVER_NAME"],
                             "r-phasor-gateway")
            self.assertEqual(ports_of(container_of(runtime, GATEWAY))[0], ("https", 50051))

    def test_policies_and_a_monitor_select_the_pods(self):
        rendered = self.render(monitoring={"serviceMonitor": {"enabled": True}})
        runtime = rendered["ServingRuntime", "r-phasor-cpu"]
        labels = runtime["spec"]["labels"].items()
        policy = rendered["NetworkPolicy", "r-phasor-inference"]["spec"]
        self.assertLessEqual(policy["podSelector"]["matchLabels"].items(), labels)
        monitor = rendered["PodMonitor", "r-phasor-inference"]["spec"]
        self.assertLessEqual(monitor["selector"]["matchLabels"].items(), labels)
        ports = {name for c in runtime["spec"]["containers"] for name, _ in ports_of(c)}
        self.assertLessEqual({end["port"] for end in monitor["podMetricsEndpoints"]}, ports)
        for kind in ("Deployment", "StatefulSet"):
            for other in rendered.of(kind):
                self.assertFalse(other["spec"]["selector"]["matchLabels"].items() <= labels)

    def test_a_redis_of_one_s_own_has_no_policy(self):
        rendered = self.render(redis={"enabled": False, "external": {"host": "h"}})
        self.assertNotIn(("NetworkPolicy", "r-phasor-redis-inference"), rendered)


if __name__ == "__main__":
    unittest.main()
