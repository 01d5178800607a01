"""A fleet that speaks TLS: trying it out, who is told what, and certificates that are replaced
while streams are open (row 41 of docs/reliability.md)."""

import concurrent.futures
import os
import subprocess
import threading
import unittest
import urllib.request

from certificates import Authority, shown_by, speaks
from command import run, wait_for
from fleet import Fleet
from ports import free_ports

CLIENTS = 3


class TlsFleet(Fleet):
    def __init__(self, *flags):
        self.port, self.metrics = free_ports(2)
        super().__init__("--engine", "fake", "--tls", "--metrics", f"127.0.0.1:{self.metrics}",
                         *flags, listen=f"127.0.0.1:{self.port}")
        self.server = f"127.0.0.1:{self.port}"

    def phasor(self, *arguments, **options):
        return run("--address", "grpcs://" + self.server, "--tls-ca", self.path("tls/ca.pem"),
                   *arguments, **options)

    def metric(self, line):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics}/metrics", timeout=10) as page:
            for each in page.read().decode().splitlines():
                if each.startswith(line + " "):
                    return float(each.rsplit(" ", 1)[1])
        return None


class TlsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = TlsFleet("--fake-step-ms", 100)

    @classmethod
    def tearDownClass(cls):
        assert cls.fleet.stop() == 0

    def test_the_command_line_finds_the_fleet_and_its_authority_by_itself(self):
        code, out, err = run("models", env={"PHASOR_DIR": self.fleet.directory})
        self.assertEqual(code, 0, err)
        self.assertIn("phasor-demo", out)

    def test_clients_that_speak_plain_text_or_trust_others_are_told_so(self):
        _, _, err = run("--address", self.fleet.server, "models")
        self.assertIn("speaks TLS: say --tls-ca", err)
        stranger = Authority(self.fleet.directory, "stranger")
        code, _, err = run("--address", self.fleet.server, "--tls-ca", stranger.certificate,
                           "models")
        self.assertEqual(code, 3)
        self.assertIn("was issued by 'phasor up', whom the authorities given here do not", err)
        _, _, err = run("--address", self.fleet.server, "--tls-ca", self.fleet.path("tls/ca.pem"),
                        "--tls-server-name", "elsewhere", "models")
        self.assertIn("not for elsewhere", err)
        code, _, err = run("--address", self.fleet.server, "--tls-ca", "/nonexistent.pem", "models")
        self.assertNotEqual(code, 0)
        self.assertIn("/nonexistent.pem", err)

    def test_nothing_older_than_tls_1_2_is_spoken(self):
        self.assertTrue(speaks(self.fleet.server, "tls1_2"))
        self.assertTrue(speaks(self.fleet.server, "tls1_3"))
        self.assertFalse(speaks(self.fleet.server, "tls1_1"))
        self.assertFalse(speaks(self.fleet.server, "tls1"))

    def test_the_key_is_its_owners_alone(self):
        self.assertEqual(os.stat(self.fleet.path("tls/gateway.key")).st_mode & 0o777, 0o600)


class RotationTest(unittest.TestCase):
    """Another authority takes over, and its certificate is replaced again and again."""

    def setUp(self):
        self.fleet = TlsFleet("--fake-step-ms", 100)
        self.addCleanup(self.fleet.stop)

    def reports_opened(self):
        with open(self.fleet.path("logs/worker-1.log")) as log:
            return log.read().count("report stream open")

    def replace(self, authority):
        serial = authority.issue(self.fleet.path("tls/gateway.pem"),
                                 self.fleet.path("tls/gateway.key"))
        wait_for("the new certificate", lambda: shown_by(self.fleet.server) == serial, pause=0.2)

    def test_certificates_replaced_under_load_drop_nothing(self):
        authority = Authority(self.fleet.directory, "next")
        with open(self.fleet.path("tls/ca.pem"), "a") as bundle, \
                open(authority.certificate) as addition:
            bundle.write(addition.read())
        code, out, err = self.fleet.phasor("submit", "a long one", "--steps", 150)
        self.assertEqual(code, 0, err)
        job = out.strip()
        watcher = subprocess.Popen(
            [os.path.join(os.environ["PHASOR_BIN_DIR"], "phasor"), "--address",
             "grpcs://" + self.fleet.server, "--tls-ca", self.fleet.path("tls/ca.pem"), "watch",
             job],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        ended = threading.Event()
        calls = []

        def load():
            while not ended.is_set():
                calls.append(self.fleet.phasor("jobs"))

        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            clients = [pool.submit(load) for _ in range(CLIENTS)]
            try:
                for _ in range(3):
                    self.replace(authority)
            finally:
                ended.set()
            for client in clients:
                client.result()
        self.assertGreater(len(calls), CLIENTS)
        self.assertEqual([err for code, _, err in calls if code != 0], [])
        self.assertIsNone(watcher.poll(), "the stream was to be open all the while")
        _, err = watcher.communicate(timeout=60)
        self.assertEqual(watcher.returncode, 0, err)
        self.assertEqual(self.reports_opened(), 1, "the worker's stream stayed open")
        self.assertEqual(self.fleet.metric('phasor_tls_reloads_total{result="used"}'), 3)
        self.check_that_a_broken_one_stays_outside()

    def check_that_a_broken_one_stays_outside(self):
        before = shown_by(self.fleet.server)
        with open(self.fleet.path("tls/gateway.pem"), "w") as file:
            file.write("no certificate")
        wait_for("the refusal", lambda: (self.fleet.metric(
            'phasor_tls_reloads_total{result="refused"}') or 0) >= 1)
        with open(self.fleet.path("logs/gateway.log")) as log:
            self.assertIn("gateway.pem holds no certificate in PEM form", log.read())
        self.assertEqual(shown_by(self.fleet.server), before)
        self.assertEqual(self.fleet.phasor("jobs")[0], 0)


if __name__ == "__main__":
    unittest.main()
