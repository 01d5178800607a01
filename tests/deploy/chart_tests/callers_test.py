"""Who may call whom: certificates, keys, network policies, ways in."""

import unittest

from chart import GATEWAY, WORKER, container, env_of, model, render, secret_of


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
