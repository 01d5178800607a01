"""The whole fleet with the real engine and the demo model. Python's standard library only."""

import os
import shutil
import subprocess
import tempfile
import unittest

from fleet import BIN, MODELS, Fleet, png_size, wait_for

MODEL = os.path.join(MODELS, "phasor-demo")


class EngineTest(unittest.TestCase):
    def test_a_fleet_draws_what_the_engine_alone_draws(self):
        fleet = Fleet("--engine", "real")
        try:
            output, alone = fleet.path("fleet.png"), fleet.path("alone.png")
            prompt = "a red circle on a blue background"
            code, _, err = fleet.phasor("generate", prompt, "--seed", 1, "--steps", 6, "-o", output)
            self.assertEqual(code, 0, err)
            self.assertEqual(png_size(output), (128, 128))
            subprocess.run([os.path.join(BIN, "phasor-render"), "--model", MODEL, "--prompt",
                            prompt, "--seed", "1", "--steps", "6", "--output", alone], check=True,
                           stdout=subprocess.DEVNULL)
            with open(output, "rb") as one, open(alone, "rb") as two:
                self.assertEqual(one.read(), two.read())
            for words in ([], ["--engine", "local", "--model", MODEL]):
                code, out, err = fleet.phasor("verify", output, *words)
                self.assertEqual((code, out), (0, output + ": the same bytes\n"), err)
            code, _, err = fleet.phasor("generate", "--from-png", output, "-o", alone)
            self.assertEqual(code, 0, err)
            with open(output, "rb") as one, open(alone, "rb") as two:
                self.assertEqual(one.read(), two.read())
            code, _, err = fleet.phasor("generate", "--from-png", output, "--steps", 5, "-o", alone)
            self.assertEqual(code, 0, err)
            with open(output, "rb") as one, open(alone, "rb") as two:
                self.assertNotEqual(one.read(), two.read())
        finally:
            self.assertEqual(fleet.stop(), 0)

    def test_a_model_with_a_broken_file_fails_jobs_and_not_workers(self):
        with tempfile.TemporaryDirectory(dir="/tmp") as models:
            broken = os.path.join(models, "broken")
            shutil.copytree(MODEL, broken)
            with open(os.path.join(broken, "phasor.yaml")) as card:
                text = card.read().replace("name: phasor-demo", "name: broken")
            with open(os.path.join(broken, "phasor.yaml"), "w") as card:
                card.write(text)
            weights = os.path.join(broken, "unet", "diffusion_pytorch_model.safetensors")
            os.truncate(weights, os.path.getsize(weights) // 2)
            fleet = Fleet("--engine", "real", models=models)
            try:
                for _ in range(2):
                    code, _, err = fleet.phasor("generate", "x", "-o", fleet.path("x.png"))
                    self.assertEqual(code, 1, err)
                    self.assertIn("diffusion_pytorch_model.safetensors", err)
                # A worker that had died would count from 0 again; tries of one job count each.
                wait_for("the report of both jobs by the same worker", lambda: int(fleet.stats()[
                    "workers"][0].get("jobs_done", "0")) >= 2)
            finally:
                fleet.stop()


if __name__ == "__main__":
    unittest.main(verbosity=2)
