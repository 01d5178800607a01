"""Programs that are asked for a card: without a driver, with one that is too old, or without the
plug-in they say in a sentence what is missing and end with the code for it, within a second of their
own time. The driver is imagined (engine/cuda/testing)."""

import ctypes
import json
import os
import subprocess
import tempfile
import unittest

BIN = os.environ["PHASOR_BIN_DIR"]
SOURCE = os.environ["PHASOR_SOURCE_DIR"]
IMAGINED = os.environ["PHASOR_FAKE_DRIVER"]


def has_driver():
    try:
        ctypes.CDLL("libcuda.so.1")
        return True
    except OSError:
        return False


def has_plugin():
    return os.path.exists(os.path.join(BIN, "libphasor_cuda.so"))


def start(program, *flags, imagined=None):
    """Exit code, output, errors, seconds of processor time."""
    environment = dict(os.environ)
    if imagined is not None:
        environment["LD_LIBRARY_PATH"] = IMAGINED
        environment.update(imagined)
    before = os.times()
    ended = subprocess.run([os.path.join(BIN, program), *flags], env=environment, text=True,
                           capture_output=True, timeout=60)
    after = os.times()
    spent = after.children_user + after.children_system
    spent -= before.children_user + before.children_system
    return ended.returncode, ended.stdout, ended.stderr, spent


def worker(*flags, imagined=None):
    with tempfile.TemporaryDirectory(prefix="phasor-e2e-cuda-") as folder:
        return start("phasor-worker", "--models", os.path.join(SOURCE, "models"), "--store",
                     folder, "--redis", "unix://" + folder + "/none.sock", "--metrics", "off",
                     *flags, imagined=imagined)


def render(*flags, imagined=None):
    with tempfile.TemporaryDirectory(prefix="phasor-e2e-cuda-") as folder:
        return start("phasor-render", "--model", os.path.join(SOURCE, "models/phasor-demo"),
                     "--prompt", "a circle", "--output", folder + "/picture.png", *flags,
                     imagined=imagined)


class CudaStartTest(unittest.TestCase):
    def check(self, ended, code, *words):
        found, out, err, spent = ended
        self.assertEqual((found, out), (code, ""), err)
        for word in words:
            self.assertIn(word, err)
        self.assertEqual(len(err.strip().splitlines()), 1, err)
        self.assertLess(spent, 1, "seconds of processor time")

    @unittest.skipIf(has_driver(), "NOT RUN: this machine has an NVIDIA driver")
    def test_without_a_driver(self):
        for run in (worker, render):
            self.check(run("--device", "cuda:0"), 1, "device cuda:0: there is no NVIDIA driver",
                       "CUDA 13.0 or newer")

    def test_with_a_driver_that_is_too_old(self):
        for run in (worker, render):
            self.check(run("--device", "cuda:0", imagined={"PHASOR_FAKE_CUDA_VERSION": "12020"}),
                       1, "the NVIDIA driver 580.65.06 runs CUDA up to 12.2", "needs 13.0 or newer")

    def test_with_a_driver_that_does_not_start_or_has_no_such_card(self):
        for run in (worker, render):
            self.check(run("--device", "cuda:0", imagined={"PHASOR_FAKE_CUDA_INIT": "803"}), 1,
                       "does not start: system has unsupported display driver")
            self.check(run("--device", "cuda:3", imagined={}), 1,
                       "there is no card 3; the driver shows cuda:0 (Imagined 0)")

    @unittest.skipIf(has_plugin(), "NOT RUN: the plug-in is there")
    def test_without_the_plug_in(self):
        for run in (worker, render):
            self.check(run("--device", "cuda:0", imagined={}), 1,
                       "device cuda:0: libphasor_cuda.so is not beside", "./dev build cuda")

    def test_doctor_tells_what_cards_there_are_or_why_there_are_none(self):
        doctor = ("doctor", "--models", "/nowhere")
        code, out, err, _ = start("phasor", *doctor, "--json", imagined={})
        card = json.loads(out)["cards"][0]
        self.assertEqual((card["device"], card["name"], card["capability"], card["dtype"]),
                         ("cuda:0", "Imagined 0", "8.6", "fp16"))
        self.assertEqual((card["utilization_percent"], card["temperature_celsius"],
                          card["power_watts"]), (87, 64, 72.5))
        code, out, err, _ = start("phasor", *doctor, imagined={})
        self.assertIn("devices    cpu, sim, cuda:0\n", out)
        self.assertIn("24GiB, capability 8.6, fp16, driver 580.65.06, 4GiB used, 87 % busy, 64 degrees, "
                      "73 W, 0 uncorrected ECC errors\n", out)
        code, out, err, _ = start("phasor", *doctor, imagined={"PHASOR_FAKE_NVML_MIG": "1"})
        self.assertIn("0 uncorrected ECC errors, in parts (MIG)\n", out)
        code, out, err, _ = start("phasor", *doctor,
                                  imagined={"PHASOR_FAKE_CUDA_VERSION": "12020"})
        self.assertIn("cards      none: the NVIDIA driver 580.65.06 runs CUDA up to 12.2", out)

    def test_a_name_that_is_none(self):
        for run in (worker, render):
            for name in ("cuda:x", "tpu"):
                self.check(run("--device", name), 2, "--device", "must be cuda:N" if ":" in name
                           else "must be cpu, sim, cuda:N or auto")

    def test_a_type_that_the_device_does_not_have(self):
        self.check(render("--dtype", "fp8"), 2, "dtype: must be one of auto, fp32, bf16, fp16")


if __name__ == "__main__":
    unittest.main()
