"""The autoscaler's simulation keeps count of its jobs, and shows what docs/autoscaling.md says of it."""

import dataclasses
import importlib.util
import os
import pathlib
import sys
import unittest

PATH = pathlib.Path(os.environ["PHASOR_SOURCE_DIR"]) / "bench" / "autoscaler" / "simulate.py"
SPEC = importlib.util.spec_from_file_location("simulate", PATH)
simulate = importlib.util.module_from_spec(SPEC)
sys.modules["simulate"] = simulate
SPEC.loader.exec_module(simulate)

STEADY = simulate.Load("steady", 1, lambda _: 0.5)


class AutoscalerTest(unittest.TestCase):
    def test_no_job_is_lost_whatever_is_scaled(self):
        fleet = simulate.Fleet(dataclasses.replace(STEADY, poison=0.2, start=5), 1)
        for now in range(600):
            fleet.arrivals(now)
            fleet.scale((5, 1, 8, 0)[now // 30 % 4], now)
            fleet.work(now)
        self.assertGreater(fleet.given_back, 0)
        running = sum(worker.job is not None for worker in fleet.workers)
        self.assertEqual(len(fleet.waits) + len(fleet.queue) + running + fleet.ended, fleet.arrived)
        self.assertGreater(fleet.ended, 0)

    def test_ready_jobs_alone_send_busy_workers_away(self):
        depth, _ = simulate.run(STEADY, simulate.Policy("depth", number="depth"), 1)
        demand, _ = simulate.run(STEADY, simulate.Policy("demand"), 1)
        self.assertGreater(depth.given_back, 2 * demand.given_back)
        self.assertGreater(depth.worker_seconds, demand.worker_seconds)

    def test_an_idle_fleet_goes_to_zero_and_comes_back(self):
        load = simulate.Load("two bursts", 1, lambda _: 0, burst=(1800, 3))
        fleet, scaler = simulate.run(load, simulate.Policy("demand"), 1)
        self.assertEqual(len(fleet.waits), 6)
        self.assertEqual(len(fleet.workers), 0)
        self.assertEqual([change for _, change in scaler.changes], [1, 1, -1, -1] * 2)
        self.assertLess(fleet.worker_seconds, 3600)


if __name__ == "__main__":
    unittest.main()
