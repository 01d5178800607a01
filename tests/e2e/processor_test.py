"""Fingerprints tell kernels apart: phasor-render draws with other instruction sets allowed to its
libraries, and whenever a bit of the latents differs, so does the fingerprint. Which settings make
a difference depends on the machine, so none is expected to, but for the two ends of ATen's."""

import hashlib
import json
import os
import subprocess
import tempfile
import unittest

BIN = os.environ["PHASOR_BIN_DIR"]
MODEL = os.path.join(os.environ["PHASOR_SOURCE_DIR"], "models", "phasor-demo")
VARIABLES = ("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA",
             "ONEDNN_DEFAULT_FPMATH_MODE", "MKL_ENABLE_INSTRUCTIONS", "MKL_CBWR",
             "MKL_DEBUG_CPU_TYPE", "OMP_NUM_THREADS")
# Settings that name what the libraries choose anyway, or nothing that they know.
SAME = ({}, {"ONEDNN_MAX_CPU_ISA": "DEFAULT"}, {"DNNL_MAX_CPU_ISA": "default"},
        {"ONEDNN_MAX_CPU_ISA": "no such set"}, {"ONEDNN_DEFAULT_FPMATH_MODE": "STRICT"},
        {"MKL_ENABLE_INSTRUCTIONS": "no such set"}, {"MKL_DEBUG_CPU_TYPE": "5"})
OTHERS = ({"ATEN_CPU_CAPABILITY": "avx2"}, {"ATEN_CPU_CAPABILITY": "default"},
          {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"}, {"ONEDNN_MAX_CPU_ISA": "AVX2"},
          {"DNNL_MAX_CPU_ISA": "SSE41"}, {"ONEDNN_DEFAULT_FPMATH_MODE": "BF16"},
          {"MKL_ENABLE_INSTRUCTIONS": "AVX512"}, {"MKL_ENABLE_INSTRUCTIONS": "AVX2"},
          {"MKL_ENABLE_INSTRUCTIONS": "SSE4_2"}, {"MKL_CBWR": "COMPATIBLE"})


class Drawn:
    def __init__(self, folder, setting, threads=1):
        environment = {k: v for k, v in os.environ.items() if k not in VARIABLES}
        latents, report = (os.path.join(folder, name) for name in ("latents", "report"))
        subprocess.run(
            [os.path.join(BIN, "phasor-render"), "--model", MODEL, "--prompt", "a red circle",
             "--seed", "7", "--steps", "2", "--stop-after-step", "2", "--threads", str(threads),
             "--dump-latents", latents, "--report", report],
            check=True, env={**environment, **setting}, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        with open(latents, "rb") as file:
            self.bits = hashlib.sha256(file.read()).hexdigest()
        with open(report) as file:
            told = json.load(file)
        self.fingerprint, self.versions = told["fingerprint"], told["versions"]


class ProcessorTest(unittest.TestCase):
    drawn = {}

    def draw(self, setting, threads=1, again=False):
        """What a setting gives; drawn once, unless `again`."""
        key = (tuple(setting.items()), threads)
        if again or key not in self.drawn:
            with tempfile.TemporaryDirectory() as folder:
                self.drawn[key] = Drawn(folder, setting, threads)
        return self.drawn[key]

    def test_a_setting_without_effect_leaves_bits_and_fingerprint(self):
        first = self.draw({})
        for setting in SAME:
            with self.subTest(setting=setting):
                again = self.draw(setting, again=True)
                self.assertEqual(again.bits, first.bits)
                self.assertEqual(again.fingerprint, first.fingerprint, again.versions)

    def test_equal_fingerprints_mean_equal_bits(self):
        drawn = [(setting, self.draw(setting)) for setting in ({},) + OTHERS]
        drawn += [({"threads": threads}, self.draw({}, threads)) for threads in (2, 4)]
        for setting, one in drawn:
            for other_setting, other in drawn:
                with self.subTest(one=setting, other=other_setting):
                    if one.bits != other.bits:
                        self.assertNotEqual(one.fingerprint, other.fingerprint, one.versions)

    def test_another_capability_of_aten_is_another_fingerprint(self):
        best, least = self.draw({}), self.draw({"ATEN_CPU_CAPABILITY": "default"})
        if "ATen DEFAULT" in best.versions:
            self.skipTest("this processor has no other")
        self.assertNotEqual(best.fingerprint, least.fingerprint)


if __name__ == "__main__":
    unittest.main(verbosity=2)
