"""A fleet with two gateways, steered by those who run it: pause, limits, dead letters, workers that
are relieved or emptied, a more urgent job that takes a worker, a gateway that dies. Python's standard
library only."""

import json
import os
import signal
import subprocess
import time
import unittest

from fleet import BIN, LIMIT, Fleet, wait_for


class OperateTest(unittest.TestCase):
    def setUp(self):
        self.fleet = Fleet("--engine", "fake", "--fake-step-ms", "100", "--gateways", "2", workers=2)
        self.fleet.address += f",unix:{self.fleet.directory}/gateway-2.sock"
        self.addCleanup(lambda: self.assertEqual(self.fleet.stop(), 0))

    def ok(self, *arguments):
        code, out, err = self.fleet.phasor(*arguments)
        self.assertEqual(code, 0, err)
        return out.strip()

    def workers(self):
        return [json.loads(line) for line in self.ok("worker", "list", "--json").splitlines()]

    def holder(self, job_id):
        """The name of the worker that has the job, or None."""
        names = [worker["name"] for worker in self.workers() if worker.get("job_id") == job_id]
        return names[0] if names else None

    def test_a_paused_fleet_takes_nothing_until_it_is_resumed(self):
        self.ok("pause")
        self.assertEqual(self.fleet.phasor("submit", "x")[0], 3)
        self.ok("resume")
        self.ok("generate", "x", "--steps", 2, "-o", self.fleet.path("x.png"))

    def test_limits_hold_at_once_and_wrong_ones_are_named(self):
        self.assertIn("max jobs", self.ok("limits"))
        self.ok("limits", "--max-jobs", 0)
        self.assertEqual(self.fleet.phasor("submit", "x")[0], 6)
        self.ok("limits", "--max-jobs", 100)
        self.ok("limits", "--tenant", "", "--max-open", 0)
        self.assertEqual(self.fleet.phasor("submit", "x")[0], 6)
        self.ok("limits", "--tenant", "")
        self.ok("submit", "x", "--steps", 1)
        code, _, err = self.fleet.phasor("limits", "--max-tries", 0)
        self.assertEqual(code, 2)
        self.assertIn("queue.max_tries", err)

    def test_a_dead_letter_is_listed_and_runs_again_as_a_new_job(self):
        self.ok("limits", "--max-tries", 1)
        job_id = self.ok("submit", "fault:internal@step1")
        self.assertEqual(self.fleet.phasor("watch", job_id)[0], 1)
        self.assertIn(job_id, self.ok("dead"))
        self.assertEqual(self.ok("redrive", job_id), job_id + "#2")
        self.assertEqual(self.ok("redrive", job_id), job_id + "#2", "a repeat is the same job")
        self.assertEqual(self.fleet.phasor("watch", job_id + "#2")[0], 1)
        self.assertEqual(self.fleet.job(job_id)["state"], "FAILED")

    def test_a_migrated_job_goes_on_at_the_other_worker(self):
        job_id = self.ok("submit", "x", "--steps", 60)
        first = wait_for("a worker with the job", lambda: self.holder(job_id))
        self.assertEqual(self.ok("worker", "migrate", first), job_id)
        wait_for("another worker", lambda: self.holder(job_id) not in (None, first))
        self.ok("watch", job_id)
        job = self.fleet.job(job_id)
        self.assertNotEqual(job["worker"], first)
        self.assertGreater(job["result"].get("resumed_from_step", 0), 0)
        self.assertEqual(job.get("tries", 0) + job.get("crashes", 0), 0, "no counter moved")

    def test_a_drained_worker_takes_no_further_job(self):
        wait_for("both workers", lambda: len(self.workers()) == 2)
        drained, other = [worker["name"] for worker in self.workers()]
        self.ok("worker", "drain", drained)
        wait_for("the drain", lambda: self.workers()[0]["state"] not in ("idle", "busy"))
        for number in range(3):
            job_id = self.ok("submit", f"x{number}", "--steps", 1)
            self.ok("watch", job_id)
            self.assertEqual(self.fleet.job(job_id)["worker"], other)
        code, _, err = self.fleet.phasor("worker", "drain", "nobody")
        self.assertEqual(code, 4)
        self.assertIn(other, err)

    def test_an_urgent_job_takes_the_worker_of_a_lesser_one_which_then_goes_on(self):
        self.ok("limits", "--preempt-after", 0.5, "--preempt-floor", 0.5)
        low = [self.ok("submit", f"low {n}", "--steps", 80, "--priority", "low") for n in (1, 2)]
        wait_for("both at work", lambda: all(self.holder(job_id) for job_id in low))
        urgent = self.ok("submit", "urgent", "--steps", 2, "--priority", "urgent")
        self.ok("watch", urgent)
        self.assertFalse(all(self.fleet.job(job_id)["state"] == "DONE" for job_id in low))
        for job_id in low:
            self.ok("watch", job_id)
        resumed = [self.fleet.job(job_id)["result"].get("resumed_from_step", 0) for job_id in low]
        self.assertEqual(sum(step > 0 for step in resumed), 1, resumed)

    def test_a_watch_survives_the_death_of_its_gateway(self):
        job_id = self.ok("submit", "x", "--steps", 60)
        watch = subprocess.Popen(
            [os.path.join(BIN, "phasor"), "--address", self.fleet.address, "watch", job_id],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        watch.stderr.readline()
        os.kill(self.first_gateway(), signal.SIGKILL)
        begun = time.monotonic()
        self.ok("get", job_id)
        self.assertLess(time.monotonic() - begun, 5)
        out, _ = watch.communicate(timeout=LIMIT)
        self.assertEqual((watch.returncode, out), (0, f"job {job_id} done\n"))

    def first_gateway(self):
        """Its process id."""
        tasks = f"/proc/{self.fleet.process.pid}/task/{self.fleet.process.pid}/children"
        with open(tasks) as file:
            pids = file.read().split()
        for pid in pids:
            with open(f"/proc/{pid}/cmdline") as file:
                if file.read().find("/gateway.sock\0--metrics") >= 0:
                    return int(pid)
        raise AssertionError("there is no gateway")


if __name__ == "__main__":
    unittest.main()
