"""What listens where, and what it answers to somebody without credentials: the table of
docs/security.md, compared with what the processes of a fleet have open."""

import http.client
import os
import re
import socket
import ssl
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

from certificates import Authority
from command import BIN, LIMIT, MODELS, SOURCE, run, wait_for
from fleet import Fleet
from ports import free_port, free_ports

LISTENING = "0A"  # in /proc/net/tcp
UNIMPLEMENTED, UNAUTHENTICATED = 12, 16
STREAM_RESET = "curl 92"
HEALTH = ["/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"]


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


def methods():
    """Every method that a gateway knows, and one that it does not."""
    with open(os.path.join(SOURCE, "common", "access", "methods.cc")) as table:
        found = re.findall(r'\{"(/[\w.]+/\w+)"', table.read())
    return [*found, "/phasor.v1.Images/Nothing"]


class Stranger:
    """Somebody who knows whom to trust, and shows nothing."""

    def __init__(self, authority):
        self.authority = authority

    def is_let_in(self, port):
        """Whether a server reads what is sent after a handshake without a certificate."""
        context = ssl.create_default_context(cafile=self.authority)
        context.set_alpn_protocols(["h2", "http/1.1"])
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=LIMIT) as plain, \
                    context.wrap_socket(plain, server_hostname="localhost") as tls:
                # The beginning of HTTP/2, which is no request of HTTP/1 either: both sides answer.
                tls.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5))
                return len(tls.recv(1)) == 1
        except (ssl.SSLError, ConnectionError):
            return False

    def call(self, port, method):
        """The status of a call with an empty message; "data" where a message came in its place."""
        # A refused call's stream is reset once its status is sent, which curl may see before that; on a
        # busy machine it does so many times in a row.
        for _ in range(100):
            answer = self.call_once(port, method)
            if answer != STREAM_RESET:
                break
            time.sleep(0.05)
        return answer

    def call_once(self, port, method):
        with tempfile.NamedTemporaryFile() as empty, tempfile.NamedTemporaryFile("r") as heads:
            empty.write(bytes(5))
            empty.flush()
            ended = subprocess.run(
                ["curl", "--silent", "--http2", "--noproxy", "*", "--cacert", self.authority,
                 "--max-time", "2", "--header", "content-type: application/grpc", "--header",
                 "te: trailers", "--data-binary", "@" + empty.name, "--dump-header", heads.name,
                 f"https://localhost:{port}{method}"], capture_output=True)
            status = re.search(r"^grpc-status: (\d+)", heads.read(), re.MULTILINE)
        if ended.stdout or (status and status.group(1) == "0"):
            return "data"
        return int(status.group(1)) if status else f"curl {ended.returncode}"

    def answered(self, port):
        """What a gRPC listener answers: the methods, "" where nobody is let in."""
        if not self.is_let_in(port):
            return "nothing"
        answers = {method: self.call(port, method) for method in methods()}
        others = {method: answer for method, answer in answers.items()
                  if answer not in ("data", UNAUTHENTICATED, UNIMPLEMENTED)}
        assert not others, others
        served = sorted(method for method, answer in answers.items() if answer == "data")
        return "health" if served == HEALTH else f"{served}"


def table_of_the_page():
    """Rows of the page's list of what listens: (process, setting) -> the other cells."""
    with open(os.path.join(SOURCE, "docs", "security.md")) as page:
        text = page.read()
    section = text.split("## What listens\n")[1].split("\n## ")[0]
    rows = {}
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 5 and cells[0] not in ("Process", "---"):
            rows[(cells[0], cells[1])] = tuple(cells[2:])
    return rows


class DefaultFleetTest(unittest.TestCase):
    def test_a_default_fleet_has_nothing_open_but_what_the_page_lists(self):
        port = free_port()
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
                         ("its owner", "everything", "everything"))
        self.assertEqual(rows[("phasor-gateway", "`--listen`")],
                         ("this machine", "everything; with `--keys` health alone", "health"))
        self.assertEqual(rows[("phasor-worker", "`--metrics`")],
                         ("this machine", "`/metrics`, `/healthz`, `/readyz`", "nothing"))


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

    def certificate(self, name):
        files = self.path(name + ".pem"), self.path(name + ".key")
        self.authority.issue(*files)
        return files

    def key(self, name, *words):
        code, _, err = run("keys", "create", "--redis", "unix://" + self.path("redis.sock"), "-o",
                           self.path(name), *words)
        self.assertEqual(code, 0, err)
        return self.path(name)

    def test_with_keys_and_tls_only_health_and_operations_answer_strangers(self):
        gateway = self.gateway("--keys", "redis", "--tls-cert", self.path("gateway.pem"),
                               "--tls-key", self.path("gateway.key"))
        wait_for("the gateway", lambda: len(ports_of(gateway.pid)) == len(self.ports))
        self.assertEqual(answers_to(self.ports["--metrics"]), ["/metrics", "/healthz", "/readyz"])
        stranger = Stranger(self.authority.certificate)
        for setting in ("--listen", "--listen-admin", "--listen-workers"):
            self.assertEqual(stranger.answered(self.ports[setting]), "health", setting)
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

    def test_with_everything_on_a_scan_finds_what_the_page_lists(self):
        authority = self.authority.certificate
        shown = dict(zip(("--tls-cert", "--tls-key"), self.certificate("worker")))
        of_port = ("--metrics-cert", self.path("gateway.pem"), "--metrics-key",
                   self.path("gateway.key"), "--metrics-client-ca", authority)
        gateway = self.gateway("--keys", "redis", "--tls-cert", self.path("gateway.pem"),
                               "--tls-key", self.path("gateway.key"), "--tls-client-ca", authority,
                               "--tls-client-certs", "operators,workers", *of_port)
        port_of_worker = free_port()
        worker = self.spawn(
            os.path.join(BIN, "phasor-worker"), "--redis", "unix://" + self.path("redis.sock"),
            "--store", self.path("store"), "--models", MODELS, "--engine", "fake", "--gateways",
            f"grpcs://localhost:{self.ports['--listen-workers']}", "--tls-ca", authority,
            *(word for pair in shown.items() for word in pair), "--credential-file",
            self.key("worker.phk", "--roles", "work"), "--metrics", f"0.0.0.0:{port_of_worker}",
            *of_port)
        wait_for("the gateway", lambda: len(ports_of(gateway.pid)) == len(self.ports))
        wait_for("the worker", lambda: ports_of(worker.pid))

        # The fleet works: an operator with certificate and key sees the worker that reports.
        operator = ("--tls-ca", authority, *(word for pair in shown.items() for word in pair),
                    "--credential-file", self.key("operator.phk", "--roles", "operate"))
        admin = ("--admin-address", f"localhost:{self.ports['--listen-admin']}", "--address",
                 f"localhost:{self.ports['--listen']}")
        wait_for("the worker to report",
                 lambda: '"workers"' in run(*operator, *admin, "stats", "--json")[1])
        code, out, err = run(*operator, "probe", f"https://localhost:{port_of_worker}/healthz")
        self.assertEqual((code, out), (0, "ok\n"), err)

        open_ports = {("phasor-gateway", f"`{setting}`"): port
                      for setting, port in self.ports.items()}
        self.assertEqual({port for _, port in ports_of(gateway.pid)}, set(open_ports.values()))
        self.assertEqual({port for _, port in ports_of(worker.pid)}, {port_of_worker})
        self.assertEqual(ports_of(self.redis.pid), set())
        open_ports["phasor-worker", "`--metrics`"] = port_of_worker
        stranger = Stranger(authority)
        found = {where: stranger.answered(port) for where, port in open_ports.items()}
        of_the_page = {where: cells[2] for where, cells in table_of_the_page().items()
                       if where[0] != "redis-server"}
        self.assertEqual(found, of_the_page)
        # Nor in plain text.
        for port in open_ports.values():
            with self.assertRaises((OSError, http.client.HTTPException)):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10)

    def test_without_any_credential_it_does_not_start(self):
        gateway = self.gateway()
        self.assertEqual(gateway.wait(60), 2)
        with open(self.path("phasor-gateway.log")) as log:
            self.assertIn("can be reached from other machines and lets everybody in", log.read())


if __name__ == "__main__":
    unittest.main()
