#!/usr/bin/env python3
"""Every object that the chart renders, with each preset and with all options on, against the strict schemas
of each Kubernetes from 1.27 to 1.37. Needs kubernetes-validate (tools/dev/schemas.txt), which has no schemas of
custom resources: those are left out."""

import unittest

import kubernetes_validate

from chart import PRESETS, model, render

VERSIONS = [f"1.{minor}" for minor in range(27, 38)]
CUSTOM = {"ScaledObject", "GRPCRoute", "ServiceMonitor", "PodMonitor", "PrometheusRule", "ServingRuntime"}
EVERYTHING = {
    "commonLabels": {"team": "t"},
    "access": {"keys": "file", "keysSecret": "k", "workerSecret": "w", "testSecret": "t",
               "jwt": {"jwksConfigMap": "j", "issuer": "i", "audience": "a", "tenantClaim": "c"}},
    "gateway": {"limits": {"max_jobs": 9}, "tenantQuotas": {"pixelSteps": 9}, "service": {"type": "LoadBalancer"},
                "autoscaling": {"enabled": True}, "nodeSelector": {"a": "b"},
                "tolerations": [{"operator": "Exists"}], "priorityClassName": "p",
                "extraEnv": [{"name": "A", "value": "b"}], "envFrom": [{"secretRef": {"name": "s"}}]},
    "worker": {"gpu": {"enabled": True, "runtimeClassName": "nvidia"},
               "autoscaling": {"type": "hpa"}, "nodeSelector": {"a": "b"},
               "podAnnotations": {"a": "b"}, "podLabels": {"a": "b"}},
    "models": [model("baked"), model("pvc", {"type": "pvc", "claimName": "c", "subPath": "s"}),
               model("get", {"type": "download", "url": "https://h/m.tar", "sha256": "a" * 64,
                             "tokenSecret": {"name": "t"}})],
    "store": {"type": "pvc"},
    "ingress": {"enabled": True, "host": "h", "className": "c", "tlsSecret": "t"},
    "networkPolicy": {"gatewayFrom": [{"namespaceSelector": {}}],
                      "metricsFrom": [{"namespaceSelector": {}}],
                      "extraEgress": [{"ports": [{"port": 443}]}]},
    "redis": {"persistence": {"storageClassName": "s"}},
}
IMAGE = {"models": [model("oci", {"type": "oci", "reference": "r/m:1"})],
         "worker": {"resourceClaims": [{"name": "gpu"}],
                    "podResourceClaims": [{"name": "gpu", "resourceClaimTemplateName": "t"}]}}


class Schemas(unittest.TestCase):
    def check(self, version, **what):
        objects = render(kubernetes=f"{version}.0", **what).values()
        checked = [thing for thing in objects if thing["kind"] not in CUSTOM]
        self.assertGreater(len(checked), 8)
        for thing in checked:
            name = thing["metadata"]["name"]
            with self.subTest(version=version, kind=thing["kind"], name=name):
                kubernetes_validate.validate(thing, version, strict=True)

    def test_presets(self):
        for version in VERSIONS:
            for preset in [None, *PRESETS]:
                self.check(version, preset=preset)

    def test_everything(self):
        for version in VERSIONS:
            self.check(version, values=EVERYTHING)

    def test_image_volumes_and_claims_where_there_are_any(self):
        for version in VERSIONS:
            if int(version.split(".")[1]) >= 33:
                self.check(version, values=IMAGE)

    def test_what_kserve_makes_pods_of(self):
        has_kserve = ("--api-versions", "serving.kserve.io/v1alpha1/ServingRuntime")
        for version in VERSIONS:
            for runtime in render({**EVERYTHING, "kserve": {"enabled": True}}, options=has_kserve,
                                  kubernetes=f"{version}.0").of("ServingRuntime"):
                pod = {key: value for key, value in runtime["spec"].items() if key in
                       ("containers", "volumes", "nodeSelector", "tolerations")}
                with self.subTest(version=version, name=runtime["metadata"]["name"]):
                    kubernetes_validate.validate(
                        {"apiVersion": "v1", "kind": "Pod", "spec": pod,
                         "metadata": {"name": "p", "labels": runtime["spec"]["labels"],
                                      "annotations": runtime["spec"]["annotations"]}},
                        version, strict=True)

    def test_they_find_what_is_wrong(self):
        thing = render()["Service", "r-phasor-gateway"]
        thing["spec"]["prots"] = []
        with self.assertRaises(kubernetes_validate.ValidationError):
            kubernetes_validate.validate(thing, VERSIONS[0], strict=True)


if __name__ == "__main__":
    unittest.main()
