"""A fleet that lets only those in who have a key: two tenants, a worker's key, an operator's; keys
that are revoked or replaced while streams are open; what is written down. Python's standard library
only."""

import json
import os
import re
import shutil
import subprocess
import time
import unittest

from fleet import BIN, LIMIT, Fleet, wait_for

DENIED, NOT_FOUND, OK = 7, 4, 0
SECRET = re.compile(r"phk_[a-z2-7]{16}_[a-z2-7]{52}")


class KeyedFleet(Fleet):
    """As its owner, unless a call says `key=`, a file or "" for none."""

    def phasor(self, *arguments, key=None, **options):
        file = self.path("key") if key is None else key
        credential = ("--credential-file", file) if file else ()
        return super().phasor(*credential, *arguments, **options)


class AccessTest(unittest.TestCase):
    def setUp(self):
        self.fleet = KeyedFleet("--keys", "--engine", "fake", "--fake-step-ms", "50")
        self.addCleanup(lambda: self.assertEqual(self.fleet.stop(), 0))

    def ok(self, *arguments, **options):
        code, out, err = self.fleet.phasor(*arguments, **options)
        self.assertEqual(code, OK, err)
        return out.strip()

    def make_key(self, name, *words):
        """A file with a new key, which counts within two seconds."""
        file = self.fleet.path(name)
        self.ok("keys", "create", "--keys-file", self.fleet.path("keys.jsonl"), "-o", file, *words)
        return file

    def make_tenant(self, name):
        key = self.make_key(f"{name}.key", "--tenant", name, "--roles", "draw,read")
        wait_for("the key to count", lambda: self.fleet.phasor("jobs", key=key)[0] == OK)
        return key

    def key_id(self, file):
        with open(file) as text:
            return text.read().split("_")[1]

    def revoke(self, file):
        self.ok("keys", "revoke", "--keys-file", self.fleet.path("keys.jsonl"), self.key_id(file))

    def start(self, *arguments, key):
        return subprocess.Popen(
            [os.path.join(BIN, "phasor"), "--address", self.fleet.address, "--credential-file", key,
             *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def audit(self):
        with open(self.fleet.path("logs/audit.jsonl")) as lines:
            return [json.loads(line) for line in lines]

    def test_nobody_comes_in_without_a_key_and_its_owner_does(self):
        for words in (("stats",), ("jobs",), ("submit", "x"), ("pause",), ("models",)):
            code, _, err = self.fleet.phasor(*words, key="")
            self.assertEqual(code, DENIED, words)
            self.assertIn("--credential-file", err)
        self.ok("generate", "x", "--steps", 2, "-o", self.fleet.path("x.png"))
        self.assertEqual(len(json.loads(self.ok("stats", "--json"))["workers"]), 1)

    def test_commands_that_find_the_fleet_find_its_key(self):
        self.assertEqual(self.fleet.phasor("stats", key="")[0], DENIED, "an address says nothing")
        ended = subprocess.run([os.path.join(BIN, "phasor"), "stats"], capture_output=True, text=True,
                               timeout=LIMIT, env={**os.environ, "PHASOR_DIR": self.fleet.directory})
        self.assertEqual(ended.returncode, OK, ended.stderr)

    def test_no_secret_stands_on_a_command_line_or_in_a_log(self):
        self.ok("submit", "a secret prompt", "--steps", 1)
        self.assertEqual(self.fleet.phasor("pause", key="")[0], DENIED)
        for pid in self.fleet.children().values():
            with open(f"/proc/{pid}/cmdline") as line:
                self.assertIsNone(SECRET.search(line.read()))
        for name in os.listdir(self.fleet.path("logs")):
            with open(self.fleet.path(f"logs/{name}"), errors="replace") as file:
                text = file.read()
            self.assertIsNone(SECRET.search(text), name)
            self.assertNotIn("a secret prompt", text)

    def test_to_one_tenant_the_other_has_no_jobs(self):
        one, other = self.make_tenant("one"), self.make_tenant("other")
        job_id = self.ok("submit", "x", "--steps", 1, key=one)
        wait_for("the job to end",
                 lambda: json.loads(self.ok("get", job_id, "--json", key=one))["state"] == "DONE")
        for words in (("get", job_id), ("cancel", job_id), ("watch", job_id), ("redrive", job_id)):
            code, _, foreign = self.fleet.phasor(*words, key=other)
            self.assertEqual(code, NOT_FOUND, f"{words} {foreign}")
        self.assertNotIn(job_id, self.ok("jobs", key=other))
        self.assertIn(job_id, self.ok("jobs", key=one))
        self.assertIn(job_id, self.ok("jobs"), "its owner operates")
        self.assertEqual(self.fleet.phasor("pause", key=one)[0], DENIED)

    def test_a_revoked_key_ends_what_runs_with_it(self):
        key = self.make_tenant("one")
        running = self.start("generate", "x", "--steps", 150, "-o", self.fleet.path("z.png"), key=key)
        wait_for("the job to run", self.busy)
        self.revoke(key)
        begin = time.monotonic()
        _, err = running.communicate(timeout=LIMIT)
        self.assertEqual(running.returncode, DENIED, err)
        self.assertLess(time.monotonic() - begin, 10)
        self.assertEqual(self.fleet.phasor("jobs", key=key)[0], DENIED)
        self.assertTrue([entry for entry in self.audit()
                         if entry["audit"] == "ended" and entry["who"].endswith(self.key_id(key))])

    def busy(self):
        stats = json.loads(self.ok("stats", "--json"))
        return [worker for worker in stats.get("workers", []) if worker["state"] == "busy"]

    def test_keys_are_replaced_while_streams_are_open_and_nothing_is_dropped(self):
        key = self.make_tenant("one")
        running = self.start("generate", "x", "--steps", 120, "-o", self.fleet.path("z.png"), key=key)
        wait_for("the job to run", self.busy)
        # The worker's: a second one beside it, into its place, then the first one goes.
        old = self.fleet.path("old-worker.key")
        shutil.copy(self.fleet.path("worker.key"), old)
        new = self.make_key("new-worker.key", "--roles", "work")
        time.sleep(2)  # what the page of security says that a new key takes
        os.replace(new, self.fleet.path("worker.key"))
        time.sleep(2)
        self.revoke(old)
        # The client's likewise; what runs with the first one goes on until that is revoked.
        second = self.make_tenant("one")
        self.ok("submit", "y", "--steps", 1, key=second)
        _, err = running.communicate(timeout=LIMIT)
        self.assertEqual(running.returncode, OK, err)
        wait_for("the worker to report with its new key",
                 lambda: len(json.loads(self.ok("stats", "--json")).get("workers", [])) == 1)
        ended = [entry for entry in self.audit() if entry["audit"] == "ended"]
        self.assertTrue(ended, "the worker's first stream")

    def test_refusals_and_operators_deeds_are_written_down(self):
        self.assertEqual(self.fleet.phasor("pause", key="")[0], DENIED)
        self.ok("pause")
        self.ok("resume")
        entries = self.audit()
        refused = [e for e in entries if e["audit"] == "refused"]
        self.assertEqual(refused[-1]["method"], "/phasor.v1.Admin/Pause")
        self.assertEqual(refused[-1]["outcome"], "missing")
        called = [(e["method"], e["outcome"]) for e in entries if e["audit"] == "called"]
        self.assertIn(("/phasor.v1.Admin/Pause", "OK"), called)
        self.assertTrue(all(re.match(r"\d{4}-\d\d-\d\dT", e["time"]) and e["from"] for e in entries))


if __name__ == "__main__":
    unittest.main()
