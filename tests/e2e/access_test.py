"""A fleet that lets only those in who have a key: two tenants, a worker's key, an operator's; keys
that are revoked or replaced while streams are open; what is written down. Python's standard library
only."""

import base64
import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import time
import unittest

from fleet import BIN, LIMIT, MODELS, Fleet, png_size, run, wait_for

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
        second = self.make_key("second.key", "--tenant", "one", "--roles", "draw,read")
        wait_for("the key to count", lambda: self.fleet.phasor("jobs", key=second)[0] == OK)
        os.replace(second, key)
        self.ok("submit", "y", "--steps", 1, key=key)
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


class SecureTest(unittest.TestCase):
    def test_one_flag_makes_a_certificate_and_a_key_and_says_how_to_use_them(self):
        with tempfile.TemporaryDirectory(prefix="phasor-e2e-", dir="/tmp") as directory:
            up = subprocess.Popen(
                [os.path.join(BIN, "phasor"), "up", "--secure", "--dir", directory, "--models", MODELS,
                 "--listen", "127.0.0.1:0", "--engine", "fake"], stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, text=True)
            try:
                ready, *words = shlex.split(up.stdout.readline())
                self.assertEqual(ready, "ready:")
                self.assertEqual(words[:2], ["phasor", "generate"])
                picture = os.path.join(directory, "x.png")
                code, _, err = run(*words[1:], "--steps", 2, "-o", picture)
                self.assertEqual(code, OK, err)
                self.assertEqual(png_size(picture)[0] > 0, True)
                bare = [word for word in words if not word.endswith("/key")]
                bare.remove("--credential-file")
                self.assertEqual(run(*bare[1:], "--steps", 2, "-o", picture)[0], DENIED)
                code, _, err = run("stats", env={"PHASOR_DIR": directory})
                self.assertEqual(code, OK, err)
            finally:
                up.terminate()
                up.communicate(timeout=LIMIT)
            self.assertEqual(up.returncode, 0)


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """Signs tokens (RS256) with openssl, and publishes its keys in a file."""

    def __init__(self, directory):
        self.directory = directory
        self.keys = {}

    def path(self, name):
        return os.path.join(self.directory, name)

    def openssl(self, *words, stdin=None):
        return subprocess.run(["openssl", *words], input=stdin, capture_output=True, check=True).stdout

    def add(self, kid):
        self.openssl("genrsa", "-out", self.path(kid + ".pem"), "2048")
        modulus = self.openssl("rsa", "-in", self.path(kid + ".pem"), "-noout", "-modulus")
        number = bytes.fromhex(modulus.decode().strip().split("=")[1])
        self.keys[kid] = {"kty": "RSA", "kid": kid, "n": encoded(number), "e": "AQAB"}

    def publish(self, *kids):
        with open(self.path("jwks.new"), "w") as file:
            json.dump({"keys": [self.keys[kid] for kid in kids]}, file)
        os.replace(self.path("jwks.new"), self.path("jwks.json"))

    def token(self, kid, **claims):
        body = {"iss": "https://issuer.test", "aud": "phasor", "sub": "alice", "tenant": "acme",
                "roles": ["draw", "read"], "exp": int(time.time()) + 600, **claims}
        text = encoded(json.dumps({"alg": "RS256", "kid": kid}).encode()) + "." + encoded(
            json.dumps(body).encode())
        signature = self.openssl("dgst", "-sha256", "-sign", self.path(kid + ".pem"),
                                 stdin=text.encode())
        name = self.path(f"token-{kid}-{len(os.listdir(self.directory))}")
        with open(name, "w") as file:
            file.write(text + "." + encoded(signature))
        return name


@unittest.skipUnless(shutil.which("openssl"), "signs with openssl")
class TokenTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="phasor-issuer-")
        self.addCleanup(directory.cleanup)
        self.issuer = Issuer(directory.name)
        self.issuer.add("old")
        self.issuer.add("new")
        self.issuer.publish("old")
        settings = {"PHASOR_JWT_JWKS": self.issuer.path("jwks.json"),
                    "PHASOR_JWT_ISSUER": "https://issuer.test", "PHASOR_JWT_AUDIENCE": "phasor"}
        os.environ.update(settings)
        self.addCleanup(lambda: [os.environ.pop(name) for name in settings])
        self.fleet = KeyedFleet("--keys", "--engine", "fake", "--fake-step-ms", "20")
        self.addCleanup(lambda: self.assertEqual(self.fleet.stop(), 0))

    def code(self, *words, key):
        return self.fleet.phasor(*words, key=key)[0]

    def test_a_token_is_its_tenant_and_others_are_refused(self):
        good = self.issuer.token("old")
        code, job_id, err = self.fleet.phasor("submit", "x", "--steps", 1, key=good)
        self.assertEqual(code, OK, err)
        self.assertEqual(self.code("get", job_id.strip(), key=self.issuer.token("old")), OK)
        other = self.issuer.token("old", tenant="other")
        self.assertEqual(self.code("get", job_id.strip(), key=other), NOT_FOUND)
        for claims in ({"exp": int(time.time()) - 61}, {"aud": "another"}, {"iss": "another"},
                       {"roles": ["admin"]}, {"tenant": ""}, {"nbf": int(time.time()) + 120}):
            self.assertEqual(self.code("jobs", key=self.issuer.token("old", **claims)), DENIED, claims)
        self.assertEqual(self.code("stats", key=good), DENIED, "it does not operate")
        with open(good) as file:
            header, payload, _ = file.read().split(".")
        with open(self.issuer.path("none"), "w") as file:
            file.write(encoded(b'{"alg":"none"}') + "." + payload + ".")
        self.assertEqual(self.code("jobs", key=self.issuer.path("none")), DENIED)

    def test_the_issuers_keys_rotate_without_a_gap(self):
        by_old, by_new = self.issuer.token("old"), self.issuer.token("new")
        self.assertEqual(self.code("jobs", key=by_old), OK)
        self.assertEqual(self.code("jobs", key=by_new), DENIED)
        self.issuer.publish("old", "new")
        wait_for("the new key to count", lambda: self.code("jobs", key=by_new) == OK)
        self.assertEqual(self.code("jobs", key=by_old), OK)
        self.issuer.publish("new")
        wait_for("the old key to be gone", lambda: self.code("jobs", key=by_old) == DENIED)
        self.assertEqual(self.code("jobs", key=by_new), OK)


if __name__ == "__main__":
    unittest.main()
