"""What holds for every pod, and what gateways and workers are told."""

import unittest

from chart import GATEWAY, PRESETS, Refused, WORKER, container, env_of, model, render


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
