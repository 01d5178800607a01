"""What `helm test` does, and values that are refused."""

import unittest

from chart import CHART, KEDA, Refused, model, render


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
