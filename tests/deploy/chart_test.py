#!/usr/bin/env python3
"""What each template of the chart renders, and what it refuses."""

import functools
import hashlib
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import time
import unittest

from chart import CHART, PRESETS, Refused, env_of, model, render

GATEWAY = ("Deployment", "r-phasor-gateway")
WORKER = ("Deployment", "r-phasor-worker-phasor-demo")
KEDA = {"type": "keda", "prometheus": {"serverAddress": "http://p:9090"}}


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


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


class EveryPod(unittest.TestCase):
    """What holds for every pod of every preset."""

    def test_is_as_the_restricted_pod_security_standard_asks(self):
        for preset in [None, *PRESETS]:
            for name, pod in render(preset=preset).pods():
                with self.subTest(preset=preset, pod=name):
                    context = pod["securityContext"]
                    self.assertTrue(context["runAsNonRoot"])
                    self.assertGreater(context["runAsUser"], 0)
                    self.assertEqual(context["seccompProfile"], {"type": "RuntimeDefault"})
                    self.assertIs(pod["automountServiceAccountToken"], False)
                    self.assertIs(pod["enableServiceLinks"], False)
                    for one in pod["containers"] + pod.get("initContainers", []):
                        inner = one["securityContext"]
                        self.assertIs(inner["allowPrivilegeEscalation"], False)
                        self.assertIs(inner["readOnlyRootFilesystem"], True)
                        self.assertEqual(inner["capabilities"], {"drop": ["ALL"]})

    def test_has_images_by_tag_or_digest_and_bounded_memory(self):
        for name, pod in render().pods():
            for one in pod["containers"] + pod.get("initContainers", []):
                with self.subTest(pod=name, container=one["name"]):
                    self.assertRegex(one["image"], r":[0-9][^:/]*$")
                    self.assertIn("memory", one["resources"]["limits"])

    def test_has_only_folders_with_a_limit_of_size(self):
        for name, pod in render().pods():
            for volume in pod["volumes"]:
                with self.subTest(pod=name, volume=volume["name"]):
                    if "emptyDir" in volume:
                        self.assertIn("sizeLimit", volume["emptyDir"])

    def test_a_registry_a_digest_and_pull_secrets_reach_every_pod_of_ours(self):
        rendered = render({"image": {"registry": "r.example", "pullSecrets": [{"name": "s"}]},
                           "gateway": {"image": {"digest": "sha256:abc"}}})
        self.assertEqual(container(rendered, GATEWAY)["image"],
                         "r.example/phasor/gateway@sha256:abc")
        self.assertEqual(container(rendered, WORKER)["image"], "r.example/phasor/worker-cpu:0.1.0")
        for _, pod in rendered.pods():
            self.assertEqual(pod["imagePullSecrets"], [{"name": "s"}])

    def test_a_new_chart_version_alone_restarts_no_pod(self):
        for thing in render().of("Deployment") + render().of("StatefulSet"):
            labels = thing["spec"]["template"]["metadata"]["labels"]
            self.assertNotIn("helm.sh/chart", labels)
            self.assertNotIn("app.kubernetes.io/version", labels)


class Gateway(unittest.TestCase):
    def test_knows_its_models_by_their_cards_alone(self):
        rendered = render({"models": [model("a"), model("b.c")]})
        cards = rendered["ConfigMap", "r-phasor-cards"]["data"]
        self.assertIn("name: b.c", cards["b.c.yaml"])
        pod = rendered[GATEWAY]["spec"]["template"]["spec"]
        volume = next(one for one in pod["volumes"] if one["name"] == "cards")
        self.assertEqual([one["path"] for one in volume["configMap"]["items"]],
                         ["a/phasor.yaml", "b.c/phasor.yaml"])
        self.assertEqual(env_of(pod["containers"][0])["PHASOR_MODELS"], "/etc/phasor/models")

    def test_is_rolled_when_a_card_changes(self):
        def sum_of(size):
            card = {"defaults": {"width": size, "height": 512}}
            rendered = render({"models": [{**model(), "card": card}]})
            return rendered[GATEWAY]["spec"]["template"]["metadata"]["annotations"]
        self.assertNotEqual(sum_of(512), sum_of(256))

    def test_pauses_before_it_stops_where_kubernetes_can_and_has_the_time(self):
        new, old = render({"gateway": {"preStopSeconds": 7}}), render(kubernetes="1.29.0")
        self.assertEqual(container(new, GATEWAY)["lifecycle"]["preStop"], {"sleep": {"seconds": 7}})
        self.assertNotIn("lifecycle", container(old, GATEWAY))
        spec = new[GATEWAY]["spec"]["template"]["spec"]
        grace = int(env_of(container(new, GATEWAY))["PHASOR_GRACE"])
        self.assertGreater(spec["terminationGracePeriodSeconds"], 7 + grace)

    def test_gets_limits_of_the_queue_by_its_file(self):
        rendered = render({"gateway": {"limits": {"max_jobs": 7}}})
        self.assertEqual(env_of(container(rendered, GATEWAY))["PHASOR_CONFIG"],
                         "/etc/phasor/settings/gateway.yaml")
        self.assertEqual(rendered["ConfigMap", "r-phasor-cards"]["data"]["gateway-settings"],
                         "limits:\n  max_jobs: 7\n")

    def test_gets_default_quotas_of_tenants_as_whole_numbers(self):
        quotas = {"pixelSteps": 5_000_000_000, "promptBytes": 0}
        env = env_of(container(render({"gateway": {"tenantQuotas": quotas}}), GATEWAY))
        self.assertEqual(env["PHASOR_PIXEL_STEPS_PER_TENANT"], "5000000000")
        self.assertEqual(env["PHASOR_PROMPT_BYTES_PER_TENANT"], "0")
        self.assertNotIn("PHASOR_RESULT_BYTES_PER_TENANT", env)
        with self.assertRaisesRegex(Refused, "pixelSteps"):
            render({"gateway": {"tenantQuotas": {"pixelSteps": "some"}}})

    def test_has_no_number_of_replicas_where_an_autoscaler_owns_it(self):
        self.assertEqual(render()[GATEWAY]["spec"]["replicas"], 2)
        rendered = render({"gateway": {"autoscaling": {"enabled": True}}})
        self.assertNotIn("replicas", rendered[GATEWAY]["spec"])
        self.assertIn(("HorizontalPodAutoscaler", "r-phasor-gateway"), rendered)

    def test_services_lead_to_ports_that_the_container_has(self):
        rendered = render()
        ports = {one["name"]: one["containerPort"] for one in container(rendered, GATEWAY)["ports"]}
        self.assertEqual(ports, {"grpc": 50051, "metrics": 9464})
        for name in ("gateway", "gateway-pods", "gateway-metrics"):
            for port in rendered["Service", f"r-phasor-{name}"]["spec"]["ports"]:
                self.assertIn(port["targetPort"], ports)
        self.assertEqual(rendered["Service", "r-phasor-gateway-pods"]["spec"]["clusterIP"], "None")


class Workers(unittest.TestCase):
    def test_each_model_has_a_deployment_with_its_own_values_over_the_profile_s(self):
        rendered = render({
            "worker": {"replicas": 3},
            "resourceProfiles": {"big": {"gpu": {"enabled": True, "resource": "nvidia.com/mig-3g.40gb"},
                                         "nodeSelector": {"pool": "big"}}},
            "models": [model("a"), model("b", profile="big", replicas=5)]})
        a = rendered["Deployment", "r-phasor-worker-a"]["spec"]
        b = rendered["Deployment", "r-phasor-worker-b"]["spec"]
        self.assertEqual((a["replicas"], b["replicas"]), (3, 5))
        pod = b["template"]["spec"]
        self.assertEqual(pod["nodeSelector"], {"pool": "big"})
        self.assertEqual(pod["containers"][0]["resources"]["limits"]["nvidia.com/mig-3g.40gb"], "1")
        self.assertEqual(pod["tolerations"][0]["key"], "nvidia.com/gpu")
        self.assertNotIn("tolerations", a["template"]["spec"])
        images = [one["template"]["spec"]["containers"][0]["image"].rsplit(":", 1)[0] for one in (a, b)]
        self.assertEqual(images, ["phasor/worker-cpu", "phasor/worker-cuda"])
        self.assertEqual(env_of(pod["containers"][0])["PHASOR_DEVICE"], "cuda:0")
        self.assertNotIn("PHASOR_DEVICE", env_of(a["template"]["spec"]["containers"][0]))
        self.assertNotEqual(a["selector"], b["selector"])

    def test_grace_is_enough_for_the_longest_job_and_for_giving_it_back(self):
        rendered = render({"worker": {"longestJobSeconds": 101, "handBackSeconds": 9}})
        spec = rendered[WORKER]["spec"]["template"]["spec"]
        self.assertEqual(env_of(spec["containers"][0])["PHASOR_GRACE"], "152")
        self.assertEqual(spec["terminationGracePeriodSeconds"], 152 + 9)

    def test_threads_are_the_container_s_share(self):
        def source(resources):
            rendered = render({"models": [model(resources=resources)]})
            one = next(v for v in container(rendered, ("Deployment", "r-phasor-worker-m"))["env"]
                       if v["name"] == "PHASOR_THREADS")
            return one["valueFrom"]["resourceFieldRef"]["resource"]
        self.assertEqual(source({"limits": {"cpu": "3"}}), "limits.cpu")
        self.assertEqual(source({}), "requests.cpu")
        rendered = render({"worker": {"threads": 4}})
        self.assertEqual(env_of(container(rendered, WORKER))["PHASOR_THREADS"], "4")

    def test_scarce_devices_are_given_back_before_new_ones_are_asked_for(self):
        strategy = render()[WORKER]["spec"]["strategy"]["rollingUpdate"]
        self.assertEqual(strategy, {"maxSurge": 0, "maxUnavailable": 1})

    def test_claims_of_dynamic_resource_allocation_pass_through(self):
        rendered = render({"worker": {"resourceClaims": [{"name": "gpu"}],
                                      "podResourceClaims": [{"name": "gpu",
                                                             "resourceClaimTemplateName": "t"}]}})
        spec = rendered[WORKER]["spec"]["template"]["spec"]
        self.assertEqual(spec["resourceClaims"][0]["resourceClaimTemplateName"], "t")
        self.assertEqual(spec["containers"][0]["resources"]["claims"], [{"name": "gpu"}])

    def test_liveness_does_not_ask_about_redis_or_the_model(self):
        for key in (GATEWAY, WORKER):
            one = container(render(), key)
            self.assertEqual(one["livenessProbe"]["httpGet"]["path"], "/healthz")
            self.assertEqual(one["startupProbe"]["httpGet"]["path"], "/healthz")
            self.assertEqual(one["readinessProbe"]["httpGet"]["path"], "/readyz")


class ModelSources(unittest.TestCase):
    def pod(self, source, **options):
        rendered = render({"models": [model(source=source)]}, **options)
        return rendered["Deployment", "r-phasor-worker-m"]["spec"]["template"]["spec"]

    def test_baked(self):
        pod = self.pod({"type": "baked", "path": "/opt/m"})
        self.assertEqual(env_of(pod["containers"][0])["PHASOR_MODELS"], "/opt/m")

    def test_a_volume(self):
        pod = self.pod({"type": "pvc", "claimName": "c", "subPath": "x/m"})
        mount = next(one for one in pod["containers"][0]["volumeMounts"] if one["name"] == "model")
        self.assertEqual((mount["mountPath"], mount["subPath"], mount["readOnly"]),
                         ("/models/m", "x/m", True))

    def test_a_download_that_is_checked(self):
        pod = self.pod({"type": "download", "url": "https://h/m.tar", "sha256": "a" * 64,
                        "tokenSecret": {"name": "t"}})
        one = pod["initContainers"][0]
        self.assertEqual(env_of(one)["SHA256"], "a" * 64)
        self.assertIn("sha256sum -c", one["args"][0])
        mount = next(v for v in pod["containers"][0]["volumeMounts"] if v["name"] == "model")
        self.assertEqual((mount["readOnly"], mount["subPath"]), (True, "files"))

    def download(self, folder, sha256):
        """Runs the container's script in `folder`, from a server on this machine; its exit code."""
        source = {"type": "download", "url": "http://h/m.tar", "sha256": "a" * 64}
        script = self.pod(source)["initContainers"][0]["args"][0]
        for path in ("model", "cards", "tmp"):
            (folder / path).mkdir(exist_ok=True)
        script = re.sub(r"(?<![\w.])/(?=(model|cards|tmp)\b)", f"{folder}/", script)
        (folder / "cards/phasor.yaml").write_text("name: m")
        handler = functools.partial(Quiet, directory=folder)
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            env = {**os.environ, "URL": f"http://127.0.0.1:{server.server_port}/m.tar",
                   "SHA256": sha256}
            code = subprocess.run(["sh", "-euc", script], env=env, capture_output=True).returncode
            server.shutdown()
        return code

    @unittest.skipUnless(shutil.which("curl"), "needs curl, as the container's image has it")
    def test_the_download_is_unpacked_and_gets_its_card_only_if_its_sum_is_right(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "model_index.json").write_text("{}")
            (folder / "m").mkdir()
            (folder / "model_index.json").rename(folder / "m/model_index.json")
            subprocess.run(["tar", "-C", folder / "m", "-cf", folder / "m.tar", "."], check=True)
            right = hashlib.sha256((folder / "m.tar").read_bytes()).hexdigest()
            self.assertNotEqual(self.download(folder, "b" * 64), 0)
            self.assertFalse((folder / "model/files/model_index.json").exists())
            self.assertEqual(self.download(folder, right), 0)
            self.assertEqual(sorted(path.name for path in (folder / "model/files").iterdir()),
                             ["model_index.json", "phasor.yaml"])

    def test_an_image(self):
        pod = self.pod({"type": "oci", "reference": "r/m@sha256:1", "path": "/m"})
        volume = next(one for one in pod["volumes"] if one["name"] == "model")
        self.assertEqual(volume["image"]["reference"], "r/m@sha256:1")
        self.assertEqual(env_of(pod["containers"][0])["PHASOR_MODELS"], "/models/m/m")


class Redis(unittest.TestCase):
    def test_is_what_the_queue_asks_for(self):
        conf = render()["ConfigMap", "r-phasor-redis"]["data"]["redis.conf"]
        for line in ("appendonly yes", "maxmemory-policy noeviction", "maxmemory 768mb"):
            self.assertIn(line, conf.splitlines())

    def test_has_a_volume_and_without_one_a_folder(self):
        stateful = render()["StatefulSet", "r-phasor-redis"]["spec"]
        self.assertEqual(stateful["volumeClaimTemplates"][0]["metadata"]["name"], "data")
        stateful = render({"redis": {"persistence": {"enabled": False}}})
        stateful = stateful["StatefulSet", "r-phasor-redis"]["spec"]
        self.assertNotIn("volumeClaimTemplates", stateful)
        self.assertIn("data", [one["name"] for one in stateful["template"]["spec"]["volumes"]])

    def test_an_external_one_replaces_it_with_user_password_and_database(self):
        rendered = render({"redis": {"enabled": False,
                                     "external": {"host": "h", "port": 7, "user": "u", "database": 2},
                                     "auth": {"existingSecret": "s", "key": "k"}}})
        self.assertFalse(rendered.of("StatefulSet"))
        for key in (GATEWAY, WORKER):
            self.assertEqual(env_of(container(rendered, key))["PHASOR_REDIS"], "redis://u:@h:7/2")
            self.assertEqual(password_of(rendered, key), ("s", "k"))

    def test_an_external_one_without_a_password(self):
        rendered = render({"redis": {"enabled": False, "external": {"host": "h"}}})
        env = env_of(container(rendered, GATEWAY))
        self.assertEqual(env["PHASOR_REDIS"], "redis://h:6379")
        self.assertNotIn("PHASOR_REDIS_PASSWORD_FILE", env)

    def test_sentinels_tell_where_it_is_to_queue_and_store_and_may_be_reached(self):
        rendered = render({"redis": {"enabled": False,
                                     "external": {"user": "u", "database": 2, "tls": True, "sentinel": {
                                         "hosts": ["one", "two:7"], "master": "my master"}},
                                     "auth": {"existingSecret": "s"}}})
        for key in (GATEWAY, WORKER):
            env = env_of(container(rendered, key))
            url = "rediss-sentinel://u:@one:26379,two:7/2?master=my+master"
            self.assertEqual(env["PHASOR_REDIS"], url.replace("+", "%20"))
            self.assertEqual(env["PHASOR_STORE"], url.replace("+", "%20") + "&ttl=24h")
        policy = rendered["NetworkPolicy", "r-phasor-worker"]
        ports = [port["port"] for rule in policy["spec"]["egress"] for port in rule.get("ports", [])]
        for port in (6379, 26379, 7):
            self.assertIn(port, ports)

    def test_its_password_is_a_file_and_in_no_variable_and_no_argument(self):
        rendered = render()
        for key in (GATEWAY, WORKER):
            self.assertEqual(password_of(rendered, key), ("r-phasor-secrets", "redis-password"))
        for _, pod in rendered.pods():
            for one in pod["containers"]:
                self.assertFalse([v for v in one.get("env", []) if "secretKeyRef" in v.get("valueFrom", {})])
        redis = container(rendered, ("StatefulSet", "r-phasor-redis"))
        self.assertNotIn("args", redis)
        self.assertIn("/etc/phasor/redis-password", [m["mountPath"] for m in redis["volumeMounts"]])

    @unittest.skipUnless(shutil.which("redis-server"), "needs a redis-server")
    def test_the_server_starts_with_the_password_of_the_file(self):
        redis = container(render(), ("StatefulSet", "r-phasor-redis"))
        ping = redis["readinessProbe"]["exec"]["command"]
        with tempfile.TemporaryDirectory() as folder:
            def here(words):
                paths = {"/etc/phasor/redis-password": folder, "/etc/redis": folder,
                         "redis-cli": f"redis-cli -s {folder}/socket"}
                for path, instead in paths.items():
                    words = [word.replace(path, instead) for word in words]
                return words
            password = pathlib.Path(folder, "password")
            password.write_text("a b$HOME'c")
            pathlib.Path(folder, "redis.conf").write_text(
                f"port 0\nunixsocket {folder}/socket\ndir {folder}\nsave ''\n")
            server = subprocess.Popen(here(redis["command"]), stdout=subprocess.DEVNULL)
            try:
                for _ in range(200):
                    answer = subprocess.run(here(ping), capture_output=True, text=True)
                    if answer.stdout == "PONG\n":
                        break
                    time.sleep(0.05)
                self.assertEqual(answer.stdout, "PONG\n", answer.stderr)
                with open(f"/proc/{server.pid}/cmdline") as line:
                    self.assertTrue(line.read().startswith("redis-server"), "it is not the shell")
                password.write_text("another")
                self.assertNotEqual(subprocess.run(here(ping), capture_output=True).returncode, 0)
            finally:
                server.terminate()
                server.wait()


    def test_an_external_one_with_tls_has_its_authorities_from_a_secret(self):
        rendered = render({"redis": {"enabled": False, "external": {
            "host": "h", "tls": True, "tlsSecret": "vouches", "tlsShown": True}}})
        for key in (GATEWAY, WORKER):
            one = container(rendered, key)
            env = env_of(one)
            self.assertEqual(env["PHASOR_REDIS"], "rediss://h:6379")
            self.assertEqual(env["PHASOR_REDIS_CA"], "/etc/phasor/redis-tls/ca.crt")
            self.assertEqual(env["PHASOR_REDIS_KEY"], "/etc/phasor/redis-tls/tls.key")
            self.assertIn("/etc/phasor/redis-tls", [m["mountPath"] for m in one["volumeMounts"]])


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


class Tls(unittest.TestCase):
    VALUES = {"tls": {"secret": "gateways", "clientCerts": ["workers"], "workerSecret": "workers"},
              "gateway": {"portsApart": True, "insecure": False},
              "networkPolicy": {"operatorsFrom": [{"ipBlock": {"cidr": "10.0.0.0/8"}}],
                                "gatewayFrom": [{"ipBlock": {"cidr": "10.1.0.0/16"}}]}}

    def test_nothing_of_it_without_being_asked(self):
        rendered = render()
        env = env_of(container(rendered, GATEWAY))
        self.assertFalse([name for name in env if "TLS" in name or "LISTEN_" in name])
        self.assertEqual(env["PHASOR_INSECURE"], "true")
        self.assertNotIn(("Service", "r-phasor-gateway-workers"), rendered)

    def test_gateways_show_the_secret_and_workers_see_no_key_of_theirs(self):
        rendered = render(self.VALUES)
        env = env_of(container(rendered, GATEWAY))
        self.assertEqual(env["PHASOR_TLS_CERT"], "/etc/phasor/tls/tls.crt")
        self.assertEqual(env["PHASOR_TLS_CLIENT_CERTS"], "workers")
        self.assertNotIn("PHASOR_INSECURE", env)
        env = env_of(container(rendered, WORKER))
        self.assertEqual(env["PHASOR_TLS_CA"], "/etc/phasor/tls-ca/ca.crt")
        self.assertEqual(env["PHASOR_TLS_KEY"], "/etc/phasor/tls-own/tls.key")
        volumes = rendered[WORKER]["spec"]["template"]["spec"]["volumes"]
        of_gateways = next(v["secret"] for v in volumes if v["name"] == "tls-ca")
        self.assertEqual(of_gateways, {"secretName": "gateways",
                                       "items": [{"key": "ca.crt", "path": "ca.crt"}]})

    def test_each_kind_of_caller_has_a_port_that_the_policy_opens_for_it_alone(self):
        rendered = render(self.VALUES)
        env = env_of(container(rendered, WORKER))
        self.assertEqual(env["PHASOR_GATEWAYS"], "r-phasor-gateway-workers:50053")
        for who, port in (("operators", 50052), ("workers", 50053)):
            service = rendered["Service", f"r-phasor-gateway-{who}"]["spec"]["ports"][0]
            self.assertEqual((service["port"], service["targetPort"]), (port, who))
        rules = {rule["ports"][0]["port"]: rule.get("from")
                 for rule in rendered["NetworkPolicy", "r-phasor-gateway"]["spec"]["ingress"]}

        def components(port):
            return [peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"]
                    for peer in rules[port] if "podSelector" in peer]

        self.assertEqual(components(50053), ["worker"])
        self.assertEqual(components(50052), ["test"])
        self.assertEqual(components(50051), ["test"])
        self.assertIn({"ipBlock": {"cidr": "10.0.0.0/8"}}, rules[50052])
        self.assertEqual(rendered["NetworkPolicy", "r-phasor-worker"]["spec"]["egress"][0]
                         ["ports"][0]["port"], 50053)

    def test_the_test_pod_trusts_and_shows_what_workers_do(self):
        pod = render(self.VALUES)["Pod", "r-phasor-test"]["spec"]
        for one in pod["initContainers"] + pod["containers"]:
            self.assertIn("PHASOR_TLS_CA", env_of(one))
        self.assertEqual(pod["containers"][0]["args"],
                         ["--address", "r-phasor-gateway:50051", "--admin-address",
                          "r-phasor-gateway-operators:50052", "stats"])

    def test_metrics_and_probes_over_tls(self):
        rendered = render({"tls": {"metricsSecret": "m", "metricsServerName": "phasor.example"},
                           "monitoring": {"serviceMonitor": {"enabled": True}}})
        for key in (GATEWAY, WORKER):
            one = container(rendered, key)
            env = env_of(one)
            self.assertEqual(env["PHASOR_METRICS_CERT"], "/etc/phasor/metrics-tls/tls.crt")
            self.assertEqual(env["PHASOR_METRICS_KEY"], "/etc/phasor/metrics-tls/tls.key")
            self.assertIn("/etc/phasor/metrics-tls", [m["mountPath"] for m in one["volumeMounts"]])
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                self.assertEqual(one[probe]["httpGet"]["scheme"], "HTTPS")
        for key, endpoints in ((("ServiceMonitor", "r-phasor-gateway"), "endpoints"),
                               (("PodMonitor", "r-phasor-worker"), "podMetricsEndpoints")):
            endpoint = rendered[key]["spec"][endpoints][0]
            self.assertEqual(endpoint["scheme"], "https")
            self.assertEqual(endpoint["tlsConfig"]["ca"]["secret"], {"name": "m", "key": "ca.crt"})
            self.assertEqual(endpoint["tlsConfig"]["serverName"], "phasor.example")
        pod = rendered["Pod", "r-phasor-test"]["spec"]
        self.assertEqual(pod["initContainers"][0]["args"],
                         ["--tls-ca", "/etc/phasor/metrics-ca/ca.crt", "probe",
                          "https://r-phasor-gateway-metrics:9464"])
        ca = next(v["secret"] for v in pod["volumes"] if v["name"] == "metrics-ca")
        self.assertEqual(ca["items"], [{"key": "ca.crt", "path": "ca.crt"}])

    def test_probes_are_plain_without_it(self):
        one = container(render(), GATEWAY)
        self.assertEqual(one["livenessProbe"]["httpGet"], {"path": "/healthz", "port": 9464})


class Access(unittest.TestCase):
    def pod(self, rendered, key):
        return rendered[key]["spec"]["template"]["spec"]

    def test_nobody_is_asked_unless_the_values_say_so(self):
        env = env_of(container(render(), GATEWAY))
        self.assertEqual(env["PHASOR_INSECURE"], "true")
        self.assertFalse({"PHASOR_KEYS", "PHASOR_JWT_JWKS"} & set(env))
        env = env_of(container(render({"gateway": {"insecure": False}}), GATEWAY))
        self.assertNotIn("PHASOR_INSECURE", env)

    def test_keys_are_in_redis_or_in_a_file_of_a_secret(self):
        rendered = render({"access": {"keys": "redis", "workerSecret": "w"}})
        env = env_of(container(rendered, GATEWAY))
        self.assertEqual(env["PHASOR_KEYS"], "redis")
        self.assertNotIn("PHASOR_INSECURE", env)
        rendered = render({"access": {"keys": "file", "keysSecret": "s", "keysSecretKey": "a.jsonl",
                                      "workerSecret": "w"}})
        pod = self.pod(rendered, GATEWAY)
        self.assertEqual(secret_of(pod, env_of(pod["containers"][0])["PHASOR_KEYS"]),
                         ("s", "a.jsonl"))

    def test_workers_and_the_test_carry_credentials_of_their_own(self):
        rendered = render({"access": {"keys": "redis", "workerSecret": "w", "testSecret": "t"}})
        pod = self.pod(rendered, WORKER)
        self.assertEqual(secret_of(pod, env_of(pod["containers"][0])["PHASOR_KEY_FILE"]),
                         ("w", "credential"))
        pod = rendered["Pod", "r-phasor-test"]["spec"]
        self.assertEqual(secret_of(pod, env_of(pod["containers"][0])["PHASOR_KEY_FILE"]),
                         ("t", "credential"))

    def test_a_test_without_a_credential_asks_for_what_everybody_may_know(self):
        rendered = render({"access": {"keys": "redis", "workerSecret": "w"}})
        spec = rendered["Pod", "r-phasor-test"]["spec"]
        self.assertEqual([one["name"] for one in spec["initContainers"] + spec["containers"]],
                         ["ready", "metrics"])

    def test_tokens_are_taken_of_an_issuer_whose_keys_are_at_a_url_or_in_a_file(self):
        jwt = {"jwks": "https://i/keys", "issuer": "https://i", "audience": "phasor",
               "tenantClaim": "org", "rolesClaim": "/a/b", "rolePrefix": "phasor:"}
        env = env_of(container(render({"access": {"workerSecret": "w", "jwt": jwt}}), GATEWAY))
        self.assertEqual({name: value for name, value in env.items() if "_JWT_" in name},
                         {"PHASOR_JWT_JWKS": "https://i/keys", "PHASOR_JWT_ISSUER": "https://i",
                          "PHASOR_JWT_AUDIENCE": "phasor", "PHASOR_JWT_TENANT_CLAIM": "org",
                          "PHASOR_JWT_ROLES_CLAIM": "/a/b", "PHASOR_JWT_ROLE_PREFIX": "phasor:"})
        self.assertNotIn("PHASOR_INSECURE", env)
        jwt = {"jwksConfigMap": "m", "issuer": "i", "audience": "a"}
        pod = self.pod(render({"access": {"workerSecret": "w", "jwt": jwt}}), GATEWAY)
        env = env_of(pod["containers"][0])
        self.assertEqual(secret_of(pod, env["PHASOR_JWT_JWKS"]), ("m", "jwks.json"))
        self.assertNotIn("PHASOR_JWT_TENANT_CLAIM", env)


class Secrets(unittest.TestCase):
    def test_are_made_once_and_stay(self):
        secret = render()["Secret", "r-phasor-secrets"]
        self.assertEqual(set(secret["data"]), {"redis-password", "fleet-secret"})
        self.assertEqual(secret["metadata"]["annotations"]["helm.sh/resource-policy"], "keep")

    def test_none_is_made_where_both_are_there(self):
        rendered = render({"redis": {"auth": {"existingSecret": "a"}},
                           "fleetSecret": {"existingSecret": "b"}})
        self.assertFalse(rendered.of("Secret"))
        volumes = rendered[GATEWAY]["spec"]["template"]["spec"]["volumes"]
        self.assertIn("b", [one.get("secret", {}).get("secretName") for one in volumes])


class Store(unittest.TestCase):
    def test_the_queue_s_redis(self):
        env = env_of(container(render(), WORKER))
        self.assertEqual(env["PHASOR_STORE"],
                         "redis://r-phasor-redis:6379?ttl=24h")

    def test_a_volume_that_gateways_and_workers_share_and_that_stays(self):
        rendered = render({"store": {"type": "pvc"}})
        claim = rendered["PersistentVolumeClaim", "r-phasor-store"]
        self.assertEqual(claim["spec"]["accessModes"], ["ReadWriteMany"])
        self.assertEqual(claim["metadata"]["annotations"]["helm.sh/resource-policy"], "keep")
        for key in (GATEWAY, WORKER):
            mounts = {v["name"]: v["mountPath"] for v in container(rendered, key)["volumeMounts"]}
            self.assertEqual(mounts["store"], env_of(container(rendered, key))["PHASOR_STORE"])

    def test_a_url_with_credentials_from_a_secret(self):
        rendered = render({"store": {"type": "url", "url": "s3://b/p", "existingSecret": "s"}})
        for key in (GATEWAY, WORKER):
            one = container(rendered, key)
            self.assertEqual(env_of(one)["PHASOR_STORE"], "s3://b/p")
            self.assertEqual(env_of(one)["PHASOR_STORE_USER_FILE"], "/etc/phasor/store/user")
            self.assertEqual(env_of(one)["PHASOR_STORE_PASSWORD_FILE"], "/etc/phasor/store/password")
            self.assertNotIn("envFrom", one)
            self.assertIn("/etc/phasor/store", [m["mountPath"] for m in one["volumeMounts"]])
            volumes = rendered[key]["spec"]["template"]["spec"]["volumes"]
            items = next(v["secret"] for v in volumes if v["name"] == "store-credential")["items"]
            self.assertEqual(items, [{"key": "AWS_ACCESS_KEY_ID", "path": "user"},
                                     {"key": "AWS_SECRET_ACCESS_KEY", "path": "password"}])

    def test_a_store_that_knows_a_password_alone(self):
        rendered = render({"store": {"type": "url", "url": "redis://h", "existingSecret": "s",
                                     "userKey": "", "passwordKey": "p"}})
        env = env_of(container(rendered, GATEWAY))
        self.assertNotIn("PHASOR_STORE_USER_FILE", env)
        volumes = rendered[GATEWAY]["spec"]["template"]["spec"]["volumes"]
        items = next(v["secret"] for v in volumes if v["name"] == "store-credential")["items"]
        self.assertEqual(items, [{"key": "p", "path": "password"}])


class Scaling(unittest.TestCase):
    def scaled(self, **more):
        rendered = render({"worker": {"autoscaling": {**KEDA, **more}}})
        self.assertNotIn("replicas", rendered[WORKER]["spec"])
        return rendered["ScaledObject", WORKER[1]]["spec"]

    def test_the_query_takes_the_fleet_s_number_once(self):
        trigger = self.scaled()["triggers"][0]
        self.assertEqual(trigger["metadata"]["query"],
                         'max(phasor_queue_demand_jobs{model="phasor-demo",namespace="ns",'
                         'service="r-phasor-gateway-metrics"})')
        self.assertEqual(trigger["metricType"], "AverageValue")

    def test_no_number_is_not_the_number_0(self):
        spec = self.scaled(minReplicas=0)
        self.assertEqual(spec["triggers"][0]["metadata"]["ignoreNullValues"], "false")
        self.assertEqual(spec["fallback"]["behavior"], "currentReplicasIfHigher")
        self.assertEqual(spec["fallback"]["replicas"], 1)
        self.assertEqual(spec["minReplicaCount"], 0)

    def test_workers_go_when_fewer_have_been_enough_for_a_while(self):
        behavior = self.scaled()["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
        self.assertEqual(behavior["scaleDown"]["stabilizationWindowSeconds"], 300)
        self.assertEqual(behavior["scaleUp"]["stabilizationWindowSeconds"], 0)

    def test_an_hpa_on_the_model_s_external_metric(self):
        rendered = render({"worker": {"autoscaling": {"type": "hpa"}}})
        self.assertFalse(rendered.of("ScaledObject"))
        metric = rendered["HorizontalPodAutoscaler", WORKER[1]]["spec"]["metrics"][0]["external"]
        self.assertEqual(metric["metric"]["selector"]["matchLabels"], {"model": "phasor-demo"})


class Policies(unittest.TestCase):
    def test_a_budget_for_gateways_and_each_model_s_workers_never_holds_a_sick_pod(self):
        budgets = render({"models": [model("a"), model("b")]}).of("PodDisruptionBudget")
        self.assertEqual(len(budgets), 3)
        for budget in budgets:
            self.assertEqual(budget["spec"]["maxUnavailable"], 1)
            self.assertEqual(budget["spec"]["unhealthyPodEvictionPolicy"], "AlwaysAllow")

    def test_selectors_of_budgets_and_policies_meet_pods(self):
        rendered = render()
        pods = [thing["spec"]["template"]["metadata"]["labels"]
                for thing in rendered.of("Deployment") + rendered.of("StatefulSet")]
        for thing in rendered.of("PodDisruptionBudget") + rendered.of("NetworkPolicy"):
            selector = (thing["spec"].get("podSelector") or thing["spec"]["selector"])["matchLabels"]
            self.assertTrue(any(selector.items() <= labels.items() for labels in pods), selector)

    def test_open_ports_are_those_of_the_containers(self):
        rendered = render()
        for name, key in (("gateway", GATEWAY), ("worker", WORKER),
                          ("redis", ("StatefulSet", "r-phasor-redis"))):
            policy = rendered["NetworkPolicy", f"r-phasor-{name}"]["spec"]
            self.assertEqual(policy["policyTypes"], ["Ingress", "Egress"])
            open_ports = {port["port"] for rule in policy["ingress"] for port in rule["ports"]}
            self.assertEqual(open_ports, {p["containerPort"] for p in container(rendered, key)["ports"]})

    def test_redis_is_for_gateways_and_workers_alone(self):
        policy = render()["NetworkPolicy", "r-phasor-redis"]["spec"]
        callers = [peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"]
                   for peer in policy["ingress"][0]["from"]]
        self.assertEqual(callers, ["gateway", "worker"])
        self.assertEqual(policy["egress"], [])

    def test_a_download_may_go_out_by_its_port(self):
        for url, port in (("https://h/m", 443), ("http://h/m", 80), ("http://h:8080/m", 8080)):
            source = {"type": "download", "url": url, "sha256": "a" * 64}
            policy = render({"models": [model(source=source)]})["NetworkPolicy", "r-phasor-worker"]
            ports = [p["port"] for rule in policy["spec"]["egress"] for p in rule["ports"]]
            self.assertIn(port, ports)


class Doors(unittest.TestCase):
    def test_ingress_and_route_lead_to_the_gateway(self):
        rendered = render({"ingress": {"enabled": True, "host": "h", "tlsSecret": "t"},
                           "grpcRoute": {"enabled": True, "parentRefs": [{"name": "g"}]}})
        rule = rendered["Ingress", "r-phasor-gateway"]["spec"]["rules"][0]
        self.assertEqual(rule["http"]["paths"][0]["backend"]["service"]["name"], "r-phasor-gateway")
        route = rendered["GRPCRoute", "r-phasor-gateway"]["spec"]
        self.assertEqual(route["rules"][0]["backendRefs"][0]["port"], 50051)


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


class HelmTest(unittest.TestCase):
    def test_draws_with_each_model_that_is_asked_for(self):
        rendered = render({"models": [model("a"), model("b")], "tests": {"models": ["b"]}})
        pod = rendered["Pod", "r-phasor-test"]
        self.assertEqual(pod["metadata"]["annotations"]["helm.sh/hook"], "test")
        drawn = [one["args"] for one in pod["spec"]["initContainers"] if "generate" in one["args"]]
        self.assertEqual(len(drawn), 1)
        self.assertIn("b", drawn[0])


class Refusals(unittest.TestCase):
    """One for each sentence of templates/validate.yaml, and some of the schema's."""

    CASES = [
        ("both", {"redis": {"external": {"host": "h"}}}, "redis.enabled=false to use"),
        ("no redis", {"redis": {"enabled": False}}, "needs redis.external.host"),
        ("sentinels and a name", {"redis": {"enabled": False, "external": {
            "host": "h", "sentinel": {"hosts": ["s"]}}}}, "are both given"),
        ("sentinels of the chart's own", {"redis": {"external": {"sentinel": {"hosts": ["s"]}}}},
         "redis.enabled=false to use"),
        ("a nameless master", {"redis": {"enabled": False, "external": {"sentinel": {
            "hosts": ["s"], "master": ""}}}}, "what the Sentinels call it"),
        ("a sentinel's address", {"redis": {"enabled": False, "external": {"sentinel": {
            "hosts": ["redis://s"]}}}}, "does not match pattern"),
        ("user without password", {"redis": {"enabled": False, "external": {"host": "h", "user": "u"}}},
         "needs redis.auth.existingSecret"),
        ("certificates in plain text", {"tls": {"clientCerts": ["clients"]}}, "needs tls.secret"),
        ("workers without one", {"tls": {"secret": "s", "clientCerts": ["workers"]}},
         "tls.workerSecret must have"),
        ("keys without a file", {"access": {"keys": "file", "workerSecret": "w"}},
         "needs access.keysSecret"),
        ("an idle file of keys", {"access": {"keys": "redis", "keysSecret": "s", "workerSecret": "w"}},
         "access.keys is not file"),
        ("an issuer's keys twice",
         {"access": {"workerSecret": "w", "jwt": {"jwks": "https://i", "jwksConfigMap": "m"}}},
         "are at one place"),
        ("half an issuer", {"access": {"workerSecret": "w", "jwt": {"jwks": "https://i"}}},
         "issuer and audience"),
        ("workers without a key", {"access": {"keys": "redis"}}, "access.workerSecret must have"),
        ("monitors that know no name", {"tls": {"metricsSecret": "m"},
                                        "monitoring": {"serviceMonitor": {"enabled": True}}},
         "needs tls.metricsServerName"),
        ("tls in the chart", {"redis": {"external": {"tls": True}}}, "is for an external Redis"),
        ("a collector's address", {"tracing": {"endpoint": "otel:4317"}}, "does not match pattern"),
        ("no url", {"store": {"type": "url"}}, "needs store.url"),
        ("idle url", {"store": {"url": "s3://b"}}, "store.type is not url"),
        ("records", {"gateway": {"keepRecordsHours": 71}}, "at least 72"),
        ("no models", {"models": []}, "models is empty"),
        ("names", {"models": [model("a.b"), model("a_b")]}, "first 15 characters must differ"),
        ("card's name", {"models": [{**model("a"), "card": {"name": "b"}}]}, "leave it out"),
        ("card's size", {"models": [{**model("a"), "card": {}}]}, "defaults.width"),
        ("profile", {"models": [model(profile="x")]}, "which resourceProfiles has not"),
        ("model's key", {"models": [model(replica=1)]}, "unknown key replica of m"),
        ("bounds", {"worker": {"autoscaling": {**KEDA, "minReplicas": 5}}}, "minReplicas is above"),
        ("keda", {"worker": {"autoscaling": {"type": "keda"}}}, "prometheus.serverAddress"),
        ("hpa", {"worker": {"autoscaling": {"type": "hpa", "minReplicas": 0}}}, "can't scale to 0"),
        ("claims", {"worker": {"resourceClaims": [{"name": "g"}]}}, "needs podResourceClaims"),
        ("pvc", {"models": [model(source={"type": "pvc"})]}, "needs claimName"),
        ("baked", {"models": [model(source={"type": "baked"})]}, "needs path"),
        ("download", {"models": [model(source={"type": "download", "url": "https://h"})]},
         "needs url and sha256"),
        ("oci", {"models": [model(source={"type": "oci"})]}, "needs reference"),
        ("tests", {"tests": {"models": ["x"]}}, "x is not in models"),
        ("ingress", {"ingress": {"enabled": True}}, "needs ingress.host"),
        ("route", {"grpcRoute": {"enabled": True}}, "needs grpcRoute.parentRefs"),
        ("no kserve", {"kserve": {"enabled": True}}, "needs KServe"),
        ("unknown value", {"gatway": {}}, "gatway"),
        ("type", {"gateway": {"replicas": "two"}}, "replicas"),
        ("word", {"log": {"level": "loud"}}, "level"),
        ("model without source", {"models": [{"name": "a", "card": {}}]}, "source"),
        ("model's name", {"models": [model("A B")]}, "name"),
    ]

    def test_each_says_what_to_change(self):
        for name, values, sentence in self.CASES:
            with self.subTest(name):
                with self.assertRaises(Refused) as refused:
                    render(values)
                self.assertIn(sentence, str(refused.exception))

    def test_an_image_volume_needs_a_kubernetes_that_knows_it(self):
        values = {"models": [model(source={"type": "oci", "reference": "r"})]}
        with self.assertRaisesRegex(Refused, "needs Kubernetes 1.33"):
            render(values, kubernetes="1.32.0")
        render(values, kubernetes="1.33.0")

    def test_every_sentence_has_its_case(self):
        sentences = sum(path.read_text(encoding="utf-8").count("fail (") +
                        path.read_text(encoding="utf-8").count('fail "')
                        for path in (CHART / "templates").iterdir() if path.is_file())
        of_the_schema, twice = 7, 1
        # And the image volume's.
        self.assertEqual(sentences, len(self.CASES) - of_the_schema - twice + 1)


if __name__ == "__main__":
    unittest.main(verbosity=1)
