"""What listens where, and what it answers to somebody without credentials: the table of
docs/security.md, compared with what the processes of a fleet have open."""

import os
import re
import socket
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request

from certificates import Authority
from command import BIN, MODELS, SOURCE, run, wait_for
from fleet import Fleet

LISTENING = "0A"  # in /proc/net/tcp


def tcp_listeners():
    """inode -> (address as the kernel prints it, port) of every TCP socket that listens here."""
    found = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(table) as lines:
            for line in list(lines)[1:]:
                words = line.split()
                if words[3] == LISTENING:
                    host, port = words[1].rsplit(":", 1)
                    found[words[9]] = (host, int(port, 16))
    return found


def ports_of(pid):
    """(host, port) of the TCP sockets that a process listens on."""
    known, found = tcp_listeners(), set()
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{name}")
        except FileNotFoundError:
            continue
        match = re.fullmatch(r"socket:\[(\d+)\]", target)
        if match and match.group(1) in known:
            found.add(known[match.group(1)])
    return found


def is_loopback(host):
    # 127.0.0.1, the same as an address of IPv6, and ::1, in the machine's order of bytes.
    return host in ("0100007F", "0" * 16 + "FFFF0000" + "0100007F", "0" * 24 + "01000000")


def answers_to(port):
    """Which paths of the operations port are there."""
    found = []
    for path in ("/metrics", "/healthz", "/readyz", "/", "/debug/config"):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10):
                found.append(path)
        except urllib.error.HTTPError as error:
            if error.code != 404:
                found.append(path)
    return found


def table_of_the_page():
    """Rows of the page's list of what listens: fleet -> {(process, setting): answer}."""
    with open(os.path.join(SOURCE, "docs", "security.md")) as page:
        text = page.read()
    section = text.split("## What listens\n")[1].split("\n## ")[0]
    rows = {}
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and cells[0] not in ("Process", "---"):
            rows[(cells[0], cells[1])] = (cells[2], cells[3])
    return rows


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class DefaultFleetTest(unittest.TestCase):
    def test_a_default_fleet_has_nothing_open_but_what_the_page_lists(self):
        port = free_ports(1)[0]
        fleet = Fleet("--engine", "fake", listen=f"127.0.0.1:{port}")
        self.addCleanup(fleet.stop)
        rows = table_of_the_page()
        children = fleet.children()
        self.assertEqual(ports_of(children["redis-server"]), set())
        self.assertEqual(os.stat(fleet.path("redis.sock")).st_mode & 0o777, 0o700)
        gateway = ports_of(children["phasor-gateway"])
        self.assertEqual([(is_loopback(host), number) for host, number in gateway], [(True, port)])
        worker = ports_of(children["phasor-worker"])
        self.assertEqual([is_loopback(host) for host, _ in worker], [True])
        self.assertEqual(answers_to(next(iter(worker))[1]), ["/metrics", "/healthz", "/readyz"])
        self.assertEqual(ports_of(fleet.process.pid), set())
        self.assertEqual(rows[("redis-server", "socket in the fleet's directory")],
                         ("its owner", "everything"))
        self.assertEqual(rows[("phasor-gateway", "`--listen`")],
                         ("this machine", "everything; with `--keys` health alone"))
        self.assertEqual(rows[("phasor-worker", "`--metrics`")],
                         ("this machine", "`/metrics`, `/healthz`, `/readyz`"))


class OpenGatewayTest(unittest.TestCase):
    """One gateway with a listener for each kind of caller, on all interfaces, with keys and TLS."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="phasor-e2e-", dir="/tmp")
        self.addCleanup(subprocess.run, ["rm", "-rf", self.folder])
        self.redis = self.spawn("redis-server", "--port", "0", "--unixsocket",
                                self.path("redis.sock"), "--dir", self.folder, "--save", "",
                                "--appendonly", "yes")
        self.ports = dict(zip(("--listen", "--listen-admin", "--listen-workers", "--metrics"),
                              free_ports(4)))
        self.authority = Authority(self.folder, "authority")
        self.authority.issue(self.path("gateway.pem"), self.path("gateway.key"))
        wait_for("Redis", lambda: os.path.exists(self.path("redis.sock")))

    def path(self, name):
        return os.path.join(self.folder, name)

    def spawn(self, *command):
        with open(self.path(os.path.basename(command[0]) + ".log"), "a") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def gateway(self, *flags):
        listen = [word for flag, port in self.ports.items() for word in (flag, f"0.0.0.0:{port}")]
        return self.spawn(os.path.join(BIN, "phasor-gateway"), "--redis",
                          "unix://" + self.path("redis.sock"), "--store", self.path("store"),
                          "--models", MODELS, "--secret-file", self.path("secret"), *listen, *flags)

    def test_with_everything_on_only_health_and_operations_answer_strangers(self):
        gateway = self.gateway("--keys", "redis", "--tls-cert", self.path("gateway.pem"),
                               "--tls-key", self.path("gateway.key"))
        wait_for("the gateway", lambda: len(ports_of(gateway.pid)) == len(self.ports))
        self.assertEqual({port for _, port in ports_of(gateway.pid)}, set(self.ports.values()))
        rows = table_of_the_page()
        self.assertEqual({setting.strip("`") for process, setting in rows
                          if process == "phasor-gateway"}, set(self.ports))
        self.assertEqual(answers_to(self.ports["--metrics"]), ["/metrics", "/healthz", "/readyz"])
        client = ("--tls-ca", self.authority.certificate, "--address",
                  f"127.0.0.1:{self.ports['--listen']}", "--admin-address",
                  f"127.0.0.1:{self.ports['--listen-admin']}")
        for command in (("models",), ("jobs",), ("stats",), ("pause",)):
            code, out, err = run(*client, *command)
            self.assertEqual((code, out), (7, ""), err)
        # What has a listener of its own is served there alone.
        code, _, err = run("--tls-ca", self.authority.certificate, "--address",
                           f"127.0.0.1:{self.ports['--listen']}", "stats")
        self.assertNotEqual(code, 0)

    def test_without_any_credential_it_does_not_start(self):
        gateway = self.gateway()
        self.assertEqual(gateway.wait(60), 2)
        with open(self.path("phasor-gateway.log")) as log:
            self.assertIn("can be reached from other machines and lets everybody in", log.read())


if __name__ == "__main__":
    unittest.main()
