"""How many workers there are."""

import unittest

from chart import KEDA, WORKER, render


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
