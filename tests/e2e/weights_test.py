"""Workers that hold different weights under one name: seen, told and not refused."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest

from fleet import BIN, LIMIT, MODELS, Fleet, wait_for

MODEL = "phasor-demo"


class WeightsTest(unittest.TestCase):
    def setUp(self):
        self.fleet = Fleet("--engine", "fake")
        self.addCleanup(self.fleet.stop)

    def start_worker(self, models):
        """Another one, as the fleet's own was started but for its model folder."""
        with open(f"/proc/{self.fleet.children()['phasor-worker']}/cmdline") as file:
            flags = file.read().split("\0")[1:-1]
        for name, value in (("--models", models), ("--metrics", "off")):
            flags[flags.index(name) + 1] = value
        process = subprocess.Popen([os.path.join(BIN, "phasor-worker"), *flags],
                                   stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait, LIMIT)
        self.addCleanup(process.terminate)

    def weights(self):
        code, out, err = self.fleet.phasor("models", MODEL, "--json")
        self.assertEqual(code, 0, err)
        return json.loads(out).get("weights", [])

    def preload(self, workers):
        code, _, err = self.fleet.phasor("models", "preload", MODEL, "--workers", str(workers))
        self.assertEqual(code, 0, err)

    def test_a_worker_with_another_version_of_a_model_is_told_apart_and_warned_of(self):
        self.preload(1)
        wait_for("the first digest", lambda: len(self.weights()) == 1, 30)
        text = self.fleet.phasor("models", MODEL)[1]
        self.assertIn("  weights     " + self.weights()[0]["digest"][:12] + " on ", text)
        self.assertNotIn("WARNING", text)

        models = tempfile.mkdtemp(prefix="phasor-weights-", dir="/tmp")
        self.addCleanup(shutil.rmtree, models)
        shutil.copytree(os.path.join(MODELS, MODEL), os.path.join(models, MODEL))
        with open(os.path.join(models, MODEL, "model_index.json"), "a") as index:
            index.write("\n")
        self.start_worker(models)
        wait_for("two workers", lambda: len(self.fleet.stats().get("workers", [])) == 2, 30)
        self.preload(2)
        wait_for("both digests", lambda: len(self.weights()) == 2, 30)
        self.assertEqual([len(held["workers"]) for held in self.weights()], [1, 1])
        self.assertIn("  WARNING     these workers draw different pictures",
                      self.fleet.phasor("models", MODEL)[1])
        code, _, err = self.fleet.phasor("generate", "x", "-o", self.fleet.path("x.png"))
        self.assertEqual(code, 0, err)


if __name__ == "__main__":
    unittest.main()
