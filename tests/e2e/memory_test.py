"""The whole fleet with the real engine on simulated devices: what a card's memory decides, what jobs
report of it, and that it decides no byte. Python's standard library only."""

import json
import os
import unittest

from fleet import MODELS, Fleet, run, wait_for

REQUEST = ("a red circle on a blue background", "--seed", 5, "--steps", 3, "--width", 256,
           "--height", 256)
MIB = 1 << 20


class MemoryTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        plain = Fleet("--engine", "real")
        try:
            output = plain.path("plain.png")
            code, _, err = plain.phasor("generate", *REQUEST, "-o", output)
            assert code == 0, err
            with open(output, "rb") as file:
                cls.plain = file.read()
        finally:
            assert plain.stop() == 0
        cls.fleet = Fleet("--engine", "real", "--device", "sim", "--vram", "34MiB")

    @classmethod
    def tearDownClass(cls):
        assert cls.fleet.stop() == 0

    def draw(self, *flags):
        """The finished job as JSON; its picture has the bytes that any fleet draws, unless it had to be
        computed in pieces."""
        output = self.fleet.path("sim.png")
        code, out, err = self.fleet.phasor("generate", *REQUEST, *flags, "--json", "-o", output)
        self.assertEqual(code, 0, err)
        result = json.loads(out)["result"]
        cut = any(one["action"].startswith(("SPLIT_", "VAE_TILE"))
                  for one in result.get("degradations", []))
        with open(output, "rb") as file:
            self.assertTrue(cut or file.read() == self.plain)
        return result

    def test_a_small_card_draws_the_same_bytes_and_says_what_it_took(self):
        result = self.draw()
        self.assertEqual((result["device"], result["strategy"]), ("sim", "CPU_OFFLOAD"))
        peak, predicted = (int(result[name]) for name in ("peak_memory_bytes",
                                                          "predicted_peak_bytes"))
        self.assertLess(peak, 34 * MIB)
        self.assertGreater(peak, 20 * MIB)
        self.assertLess(abs(predicted - peak), 0.15 * peak)
        self.assertNotIn("degradations", result)

    def test_a_strategy_is_the_requests_and_full_degrades_to_what_fits(self):
        self.assertEqual(self.draw("--strategy", "SEQUENTIAL_OFFLOAD")["strategy"],
                         "SEQUENTIAL_OFFLOAD")
        result = self.draw("--strategy", "FP16_FULL")
        self.assertGreaterEqual(len(result["degradations"]), 1)
        self.assertIn(result["degradations"][0]["phase"], ("encode", "denoise", "decode"))

    def test_a_strategy_that_no_device_can_do_is_refused_and_an_unknown_one_is_named(self):
        code, _, err = self.fleet.phasor("generate", "x", "--strategy", "NF4_QUANTIZED")
        if code != 0:
            self.assertEqual(code, 1, err)
            self.assertIn("no worker's device can do NF4_QUANTIZED", err)
        code, _, err = self.fleet.phasor("generate", "x", "--strategy", "FASTEST")
        self.assertEqual(code, 2, err)
        self.assertIn("--strategy must be one of", err)

    def test_statistics_show_device_kinds_state_and_components(self):
        self.draw()
        worker = self.fleet.stats()["workers"][0]
        self.assertEqual(int(worker["memory_total_bytes"]), 34 * MIB)
        self.assertEqual(worker["device"], "sim")
        self.assertEqual({share["kind"] for share in worker["memory"]},
                         {"weights", "activations", "workspace"})
        self.assertIn(worker["memory_state"], ("LOW", "MODERATE", "HIGH", "CRITICAL"))
        self.assertEqual(worker["strategy"], "AUTO")
        self.assertEqual(worker["models"][0]["model"], "phasor-demo")
        # The worker's next report tells of what the last unit left there.
        wait_for("a report of the decoder",
                 lambda: "holds   phasor-demo: vae.decoder" in self.fleet.phasor("stats")[1], 30)

    def test_models_are_unloaded_loaded_pinned_and_memory_cleaned_up(self):
        name = self.fleet.stats()["workers"][0]["name"]
        for words, resident in ((("unload", "phasor-demo"), 0), (("load", "phasor-demo"), 1),
                                (("load", "phasor-demo", "--pin"), 1)):
            code, out, err = self.fleet.phasor("models", *words, "--json")
            self.assertEqual(code, 0, err)
            self.assertEqual(int(json.loads(out).get("workers_resident", 0)), resident, words)
        self.draw()
        code, out, err = self.fleet.phasor("cleanup", "--worker", name)
        self.assertEqual(code, 0, err)
        self.assertRegex(out, name + r" freed \d.*B")
        worker = self.fleet.stats()["workers"][0]
        self.assertTrue(worker["models"][0]["pinned"], "it stays, off the device")
        self.assertEqual(self.fleet.phasor("models", "unload", "phasor-demo")[0], 0)
        self.assertEqual(self.fleet.phasor("cleanup", "--worker", "nobody")[0], 4)
        self.draw()


class RefusalTest(unittest.TestCase):
    def test_what_fits_no_worker_is_refused_at_once_with_the_numbers(self):
        fleet = Fleet("--engine", "real", "--device", "sim", "--vram", "3MiB")
        try:
            size = ("--width", 64, "--height", 64, "--steps", 2)
            code, _, err = fleet.phasor("generate", "x", *size, "-o", fleet.path("small.png"))
            self.assertEqual(code, 0, err)
            code, _, err = fleet.phasor("generate", "x", "--width", 256, "--height", 256)
            self.assertEqual(code, 1, err)
            self.assertRegex(err, r"256x256 needs at least .*MiB.* the largest worker has 3MiB; "
                                  r"the largest square picture that fits is \d+x\d+")
            self.assertEqual(fleet.stats().get("live_jobs", "0"), "0")
        finally:
            self.assertEqual(fleet.stop(), 0)


class MachineTest(unittest.TestCase):
    """Without a fleet."""

    def test_the_doctor_says_what_each_model_would_get(self):
        code, out, err = run("doctor", "--models", MODELS, "--cards", "34MiB", "--json")
        self.assertEqual(code, 0, err)
        report = json.loads(out)
        self.assertGreater(report["memory_bytes"], 0)
        [demo] = [model for model in report["models"] if model["model"] == "phasor-demo"]
        here, card = demo["plans"]
        self.assertEqual((here["device"], here["strategy"]), ("cpu", "FP16_FULL"))
        self.assertEqual((card["device"], card["fits"]), ("34MiB", True))

    def test_a_plan_says_which_strategy_fits(self):
        code, out, err = run("models", "plan", "phasor-demo", "--models", MODELS, "--device", "sim",
                             "--vram", "34MiB", "--width", 256, "--height", 256)
        self.assertEqual(code, 0, err)
        self.assertIn("AUTO takes CPU_OFFLOAD", out)


class WrongInputTest(unittest.TestCase):
    def test_each_is_a_sentence_and_exit_code_2(self):
        for flags, words in ((("--device", "sim", "--vram", "0"), "--vram must be between"),
                             (("--device", "sim", "--vram", "10EiB"), "--vram must be between"),
                             (("--strategy", "FASTEST"), "--strategy must be one of"),
                             (("--vram", "4GiB"), "only with --device sim"),
                             (("--device", "tpu"), "--device")):
            with self.subTest(flags=flags):
                code, out, err = run("up", "--dir", "/tmp/phasor-e2e-never", *flags)
                self.assertEqual((code, out), (2, ""), err)
                self.assertIn(words, err)
                self.assertFalse(os.path.exists("/tmp/phasor-e2e-never"))


if __name__ == "__main__":
    unittest.main()
