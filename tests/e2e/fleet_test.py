"""The whole fleet with the fake engine, driven by the command line: what users see, and what must
hold when processes are killed. Python's standard library only."""

import os
import signal
import subprocess
import tempfile
import time
import unittest

from fleet import BIN, LIMIT, MODELS, Fleet, png_size, run, wait_for
import store_layout


class GenerateTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet("--engine", "fake", "--fake-step-ms", "20", workers=2)

    @classmethod
    def tearDownClass(cls):
        assert cls.fleet.stop() == 0, "a fleet that is asked to stop exits with 0"

    def test_a_prompt_becomes_a_picture(self):
        output = self.fleet.path("circle.png")
        code, out, err = self.fleet.phasor("generate", "a red circle", "--output", output)
        self.assertEqual((code, out), (0, output + "\n"), err)
        self.assertEqual(png_size(output), (128, 128))
        self.assertIn("denoising", err)

    def test_equal_seeds_are_equal_bytes(self):
        names = [self.fleet.path(name) for name in ("one.png", "two.png")]
        for name in names:
            self.assertEqual(self.fleet.phasor("generate", "x", "--seed", 7, "-o", name)[0], 0)
        with open(names[0], "rb") as one, open(names[1], "rb") as two:
            self.assertEqual(one.read(), two.read())

    def test_a_sheet_holds_the_pictures_of_a_file_of_prompts(self):
        prompts, sheet = self.fleet.path("prompts.txt"), self.fleet.path("sheet.png")
        with open(prompts, "w") as file:
            file.write("a red circle\na blue square\na green star\n")
        code, out, err = self.fleet.phasor("generate", "--prompts-file", prompts, "--sheet", sheet)
        self.assertEqual((code, out), (0, sheet + "\n"), err)
        self.assertEqual(png_size(sheet), (2 * 132 + 4, 2 * 132 + 4))

    def test_submit_watch_get(self):
        code, out, _ = self.fleet.phasor("submit", "a job", "--images", 2)
        self.assertEqual(code, 0)
        job_id = out.strip()
        self.assertEqual(self.fleet.phasor("watch", job_id)[0], 0)
        job = self.fleet.job(job_id)
        self.assertEqual(job["state"], "DONE")
        self.assertEqual(len(job["result"]["images"]), 2)
        output = self.fleet.path("got.png")
        code, out, _ = self.fleet.phasor("get", job_id, "-o", output)
        self.assertEqual(out.split(), [self.fleet.path("got-1.png"), self.fleet.path("got-2.png")])
        self.assertIn(job_id, self.fleet.phasor("jobs", "--state", "done", "--limit", 1000)[1])

    def test_the_same_key_names_the_same_job(self):
        first = self.fleet.phasor("submit", "a", "--key", "mine")[1]
        self.assertEqual(self.fleet.phasor("submit", "a", "--key", "mine")[1], first)
        code, _, err = self.fleet.phasor("submit", "b", "--key", "mine")
        self.assertEqual(code, 2)
        self.assertIn("key", err)

    def test_wrong_requests_are_refused_with_a_sentence(self):
        cases = [
            (("--width", 7), "width"),
            (("--steps", 0), "steps"),
            (("--steps", 100000), "steps"),
            (("--model", "nope"), "model"),
            (("--scheduler", "nope"), "scheduler"),
            (("--priority", "nope"), "priority"),
            (("--seed", -1), "seed"),
            (("--guidance", "nan"), "guidance"),
            (("--images", 1000), "images"),
            (("--key", "k" * 1000), "idempotency_key"),
        ]
        for flags, field in cases:
            with self.subTest(flags=flags):
                code, out, err = self.fleet.phasor("generate", "x", *flags)
                self.assertEqual((code, out), (2, ""), err)
                self.assertIn(field, err)

    def test_a_prompt_of_a_megabyte_is_refused(self):
        prompts = self.fleet.path("long.txt")
        with open(prompts, "w") as file:
            file.write("x" * 1_000_000)
        code, _, err = self.fleet.phasor("generate", "--prompts-file", prompts)
        self.assertEqual(code, 2, err)
        self.assertIn("prompt", err)
        self.assertEqual(self.fleet.phasor("stats")[0], 0, "the gateway lives on")

    def test_unknown_jobs_and_ids(self):
        self.assertEqual(self.fleet.phasor("get", "a" * 32)[0], 4)
        self.assertEqual(self.fleet.phasor("get", "../../etc/passwd")[0], 2)
        self.assertEqual(self.fleet.phasor("models", "nope")[0], 4)

    def test_ctrl_c_cancels_the_job(self):
        process = subprocess.Popen(
            [os.path.join(BIN, "phasor"), "--address", self.fleet.address, "generate", "x",
             "--steps", "150", "--key", "interrupted", "-o", self.fleet.path("never.png")],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        process.stderr.readline()  # the first word of progress
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=LIMIT)
        self.assertEqual(process.returncode, 5, err)
        self.assertFalse(os.path.exists(self.fleet.path("never.png")))
        code, _, _ = self.fleet.phasor("generate", "x", "--steps", "150", "--key", "interrupted")
        self.assertEqual(code, 5, "the job stays cancelled")

    def test_a_second_fleet_in_the_same_directory_is_refused(self):
        code, _, err = run("up", "--dir", self.fleet.directory, "--models", MODELS)
        self.assertEqual(code, 1)
        self.assertIn("already", err)

    def test_an_address_that_is_taken_is_refused(self):
        with tempfile.TemporaryDirectory(dir="/tmp") as directory:
            code, _, err = run("up", "--dir", directory, "--models", MODELS, "--listen",
                               self.fleet.address)
        self.assertEqual(code, 1)
        self.assertIn("gateway.sock", err)

    def test_completion_scripts_are_valid(self):
        for shell in ("bash", "zsh", "fish"):
            code, out, _ = run("completion", shell)
            self.assertEqual(code, 0)
            self.assertIn("generate", out)
        script = run("completion", "bash")[1]
        self.assertEqual(subprocess.run(["bash", "-n"], input=script, text=True).returncode, 0)


class KillTest(unittest.TestCase):
    def setUp(self):
        self.fleet = Fleet("--engine", "fake", "--fake-step-ms", "150", "--lease", "2", workers=2)

    def tearDown(self):
        self.fleet.stop()

    def test_a_killed_worker_costs_no_job_and_no_byte(self):
        plain, resumed = self.fleet.path("plain.png"), self.fleet.path("resumed.png")
        # Long enough to be killed in, however slow the command line is.
        request = ("x", "--seed", 3, "--steps", 40)
        self.assertEqual(self.fleet.phasor("generate", *request, "-o", plain)[0], 0)
        job_id = self.fleet.phasor("submit", *request)[1].strip()
        wait_for("a checkpoint", lambda: os.path.isdir(
            store_layout.path_of(self.fleet.path("store"), f"jobs/{job_id}/c")))
        time.sleep(0.3)  # the queue hears of it
        os.kill(wait_for("a busy worker", self.fleet.busy_worker), signal.SIGKILL)
        self.assertEqual(self.fleet.phasor("watch", job_id)[0], 0)
        job = self.fleet.job(job_id)
        self.assertEqual(job["crashes"], 1)
        self.assertGreater(job["result"].get("resumed_from_step", 0), 0)
        self.assertEqual(self.fleet.phasor("get", job_id, "-o", resumed)[0], 0)
        with open(plain, "rb") as one, open(resumed, "rb") as two:
            self.assertEqual(one.read(), two.read())
        wait_for("a new worker", lambda: len(self.fleet.stats().get("workers", [])) == 2)

    def test_killed_queue_and_gateway_come_back_with_the_job(self):
        job_id = self.fleet.phasor("submit", "x", "--steps", 30)[1].strip()
        time.sleep(1.2)  # the append-only file is written once a second
        children = self.fleet.children()
        os.kill(children["redis-server"], signal.SIGKILL)
        os.kill(children["phasor-gateway"], signal.SIGKILL)
        wait_for("an answer", lambda: self.fleet.phasor("get", job_id)[0] == 0)
        self.assertEqual(self.fleet.phasor("watch", job_id)[0], 0)


class StartTest(unittest.TestCase):
    def test_no_gateway(self):
        code, out, err = run("--address", "unix:/tmp/phasor-e2e-nobody.sock", "stats")
        self.assertEqual((code, out), (3, ""))
        self.assertIn("phasor up", err)

    def test_wrong_usage(self):
        for arguments in (("generate",), ("frobnicate",), ("get",), ("jobs", "--state", "odd"),
                          ("up", "--workers", "0")):
            with self.subTest(arguments=arguments):
                code, _, err = run(*arguments)
                self.assertEqual(code, 2)
                self.assertTrue(err.startswith("phasor: "), err)

    def test_no_redis_server(self):
        with tempfile.TemporaryDirectory(dir="/tmp") as directory:
            code, _, err = run("up", "--dir", directory, env={"PATH": directory})
        self.assertEqual(code, 1)
        self.assertIn("redis-server is not installed", err)

    def test_a_directory_that_can_not_be_made(self):
        code, _, err = run("up", "--dir", "/dev/null/fleet", "--models", MODELS)
        self.assertEqual(code, 1)
        self.assertIn("/dev/null", err)

    def test_no_models(self):
        with tempfile.TemporaryDirectory(dir="/tmp") as directory:
            code, _, err = run("up", "--dir", directory, "--models", directory + "/none",
                               "--listen", f"unix:{directory}/g.sock")
        self.assertEqual(code, 1)
        self.assertIn("none", err)

    def test_a_worker_waits_for_a_queue_that_is_not_there(self):
        with tempfile.TemporaryDirectory(dir="/tmp") as directory:
            worker = subprocess.Popen(
                [os.path.join(BIN, "phasor-worker"), "--redis", f"unix://{directory}/none.sock",
                 "--store", directory + "/store", "--models", MODELS, "--engine", "fake",
                 "--metrics", "off"], stderr=subprocess.PIPE, text=True)
            lines = []
            while not any("cannot reach Redis" in line for line in lines):
                lines.append(worker.stderr.readline())
                self.assertTrue(lines[-1], "it ended: " + "".join(lines))
            self.assertIsNone(worker.poll())
            worker.send_signal(signal.SIGTERM)
            self.assertEqual(worker.wait(LIMIT), 0)
            worker.stderr.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
