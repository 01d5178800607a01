"""A gateway and a worker whose result store is away when they start: they wait for it, say so, and
serve once it is there; a store that refuses them ends them with a sentence."""

import os
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request

from command import BIN, LIMIT, MODELS, run, wait_for
from ports import free_ports


class LateStoreTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="phasor-e2e-", dir="/tmp")
        self.addCleanup(subprocess.run, ["rm", "-rf", self.folder])
        self.redis("queue")
        self.ports = dict(zip(("phasor-gateway", "phasor-worker"), free_ports(2)))

    def path(self, name):
        return os.path.join(self.folder, name)

    def log_of(self, program):
        with open(self.path(program + ".log")) as log:
            return log.read()

    def spawn(self, *command):
        with open(self.path(os.path.basename(command[0]) + ".log"), "a") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def redis(self, name, *options):
        os.makedirs(self.path(name), exist_ok=True)
        self.spawn("redis-server", "--port", "0", "--unixsocket", self.path(name + ".sock"), "--dir",
                   self.path(name), "--save", "", "--appendonly", "yes", *options)
        wait_for("Redis", lambda: os.path.exists(self.path(name + ".sock")))

    def start(self):
        """Both programs, by name."""
        shared = ("--redis", "unix://" + self.path("queue.sock"), "--store",
                  "unix://" + self.path("results.sock") + "?ttl=1h", "--models", MODELS)
        own = {"phasor-gateway": ("--listen", "unix:" + self.path("gateway.sock"), "--secret-file",
                                  self.path("secret")),
               "phasor-worker": ("--engine", "fake", "--gateways",
                                 "unix:" + self.path("gateway.sock"))}
        return {name: self.spawn(os.path.join(BIN, name), *shared, *flags, "--metrics",
                                 f"127.0.0.1:{self.ports[name]}")
                for name, flags in own.items()}

    def readiness(self, program):
        """The code and the words of /readyz; None while nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[program]}/readyz",
                                        timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return None

    def test_both_wait_for_it_and_name_it(self):
        programs = self.start()
        where = "result store at unix://" + self.path("results.sock")
        for name in programs:
            code, words = wait_for(name, lambda: self.readiness(name))
            self.assertEqual(code, 503)
            self.assertIn(where, words)
            self.assertIn("waiting for Redis or the store", self.log_of(name))
            self.assertIn(where, self.log_of(name))
        self.redis("results")
        for name in programs:
            wait_for(name + " to be ready", lambda: (self.readiness(name) or (0,))[0] == 200)
        code, _, err = run("--address", "unix:" + self.path("gateway.sock"), "generate", "x", "-o",
                           self.path("x.png"))
        self.assertEqual(code, 0, err)

    def test_one_that_refuses_them_ends_them_when_it_comes(self):
        programs = self.start()
        for name in programs:
            wait_for(name, lambda: self.readiness(name))
        self.redis("results", "--requirepass", "geheim")
        for name, process in programs.items():
            self.assertEqual(process.wait(LIMIT), 1)
            self.assertIn("Redis wants a password", self.log_of(name))


if __name__ == "__main__":
    unittest.main()
