"""redis-server, gateways and workers as processes that can be killed, paused and started again.

Each writes to a log file of its own and dies with the process that started it.
"""

import concurrent.futures
import ctypes
import glob
import os
import resource
import shutil
import signal
import subprocess
import threading
import time

from command import BIN, LIMIT, MODELS, wait_for
from exits import Exit
from ports import free_port
from resp import Client

SHIM = os.environ.get("PHASOR_FAULT_SHIM", "")
# Of programs built with a sanitizer; it comes before any other library. Else empty.
SANITIZER_RUNTIME = os.environ.get("PHASOR_SANITIZER_RUNTIME", "")
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)
# The signal comes when the thread ends that started the process, so one thread starts them all.
_STARTER = concurrent.futures.ThreadPoolExecutor(1)


def _die_with_parent():
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a file at its limit is an error, not the end


class Process:
    preload = [SHIM]

    def __init__(self, name, directory):
        self.name, self.directory = name, directory
        self.log = os.path.join(directory, name + ".log")
        self.generation = 0
        self.process = None
        self._began = 0  # where its last start begins in the log
        self.environment = {}

    def arguments(self):
        raise NotImplementedError

    def start(self):
        self.generation += 1
        with open(self.log, "ab") as log:
            self._began = log.tell()
            self.process = _STARTER.submit(
                subprocess.Popen, [str(argument) for argument in self.arguments()], stdout=log,
                stderr=log, preexec_fn=_die_with_parent,
                env={**os.environ, **self.environment}).result()
        return self

    def shim(self, **settings):
        """From its next start on: see shim.cc. shim(record="kill before"); none: no shim."""
        self.environment.pop("LD_PRELOAD", None)
        if settings:
            self.environment["LD_PRELOAD"] = ":".join(filter(None, self.preload))
        for name in ("record", "clock"):
            self.environment.pop("PHASOR_SHIM_" + name.upper(), None)
            if name in settings:
                self.environment["PHASOR_SHIM_" + name.upper()] = settings[name]
        return self

    @property
    def pid(self):
        return self.process.pid

    def runs(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        if self.runs():
            self.process.send_signal(number)

    def kill(self):
        process = self.process  # a keeper may start the next one meanwhile
        process.kill()
        process.wait(LIMIT)

    def pause(self):
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)

    def restart(self):
        """Stops it in order, if it runs, and starts it again; gives the exit code."""
        code = self.end() if self.runs() else None
        self.start()
        return code

    def is_paused(self):
        with open(f"/proc/{self.pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] == "T"

    def waits_for_signals(self):
        """Whether it has got to where it waits for SIGTERM. Before, while its libraries are loaded,
        the signal ends it as it ends any program. All threads block it then, but for the one that
        waits, for as long as it does."""
        for status in glob.glob(f"/proc/{self.pid}/task/*/status"):
            try:
                with open(status) as file:
                    (blocked,) = [line.split()[1] for line in file if line.startswith("SigBlk:")]
            except (FileNotFoundError, ProcessLookupError):
                continue  # the thread has just ended
            if int(blocked, 16) >> (signal.SIGTERM - 1) & 1:
                return True
        return False

    def end(self, seconds=LIMIT):
        """SIGTERM; gives the exit code."""
        process = self.process
        process.terminate()
        return process.wait(seconds)

    def exit_code(self, seconds=LIMIT):
        return self.process.wait(seconds)

    def resident_bytes(self):
        with open(f"/proc/{self.pid}/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def limit_file_size(self, size):
        """From now on no file that it writes grows beyond `size` bytes; None: any size."""
        soft = resource.RLIM_INFINITY if size is None else size
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (soft, resource.RLIM_INFINITY))

    def log_text(self):
        with open(self.log, errors="replace") as log:
            return log.read()

    def says(self, text):
        return text in self.log_text()

    def has_said(self, text):
        """Since its last start."""
        with open(self.log, errors="replace") as log:
            log.seek(self._began)
            return text in log.read()


class Redis(Process):
    """Each acknowledged write is on the disk (appendfsync always) and nothing is evicted."""

    def __init__(self, directory, *flags):
        super().__init__("redis", directory)
        self.socket = os.path.join(directory, "redis.sock")
        self.port = 0  # by TCP, where replicas connect; 0: none
        self.data = os.path.join(directory, "redis")
        self.flags = flags
        os.makedirs(self.data, exist_ok=True)

    def arguments(self):
        return ["redis-server", "--port", self.port, "--unixsocket", self.socket,
                "--dir", self.data, "--appendonly", "yes", "--appendfsync", "always", "--save", "",
                "--auto-aof-rewrite-percentage", "0", "--maxmemory-policy", "noeviction",
                "--repl-diskless-sync-delay", "0",  # nobody else will want the same data
                *self.flags]

    def start(self):
        super().start()
        wait_for("redis-server", self._answers)
        return self

    def _answers(self):
        try:
            with self.client() as client:
                return client("PING") == b"PONG"
        except (OSError, RuntimeError):
            return False

    def client(self):
        return Client(self.socket)

    def crash(self, pause=0.0):
        """kill -9, and back after `pause` seconds."""
        self.kill()
        time.sleep(pause)
        self.start()

    def replicate(self, master):
        """Follows `master`, which has a port, until it is promoted. Returns when it has caught
        up."""
        with self.client() as redis, master.client() as source:
            redis("REPLICAOF", "127.0.0.1", master.port)
            wait_for("the link", lambda: b"master_link_status:up" in redis("INFO", "replication"))
            wait_for("the replica", lambda: source("WAIT", 1, 100) == 1)

    def promote(self):
        with self.client() as redis:
            redis("REPLICAOF", "NO", "ONE")

    def listen(self):
        """By TCP, too, so that replicas can connect; also when it is started again."""
        if self.port == 0:
            self.port = free_port()
            with self.client() as redis:
                redis("CONFIG", "SET", "port", self.port)

    def hand_over_to(self, replica):
        """The replica becomes the master without losing a write, and this one its replica."""
        with self.client() as redis, replica.client() as other:
            # What the replica holds has to be in its file before it may be killed as a master.
            wait_for("the replica's file", lambda: all(
                flag in other("INFO", "persistence")
                for flag in (b"aof_enabled:1", b"aof_rewrite_in_progress:0",
                             b"aof_rewrite_scheduled:0")))
            redis("FAILOVER", "TO", "127.0.0.1", replica.port)
            wait_for("the new master", lambda: b"role:master" in other("INFO", "replication"))
            wait_for("the old one's new role",
                     lambda: b"role:slave" in redis("INFO", "replication"))

    def save_copy(self, name):
        """Keeps the append-only file as it is now."""
        shutil.copytree(self.data, os.path.join(self.directory, name))

    def roll_back(self, name):
        """To be called while it is down."""
        shutil.rmtree(self.data)
        shutil.copytree(os.path.join(self.directory, name), self.data)


class Service(Process):
    """What a gateway and a worker have in common."""

    preload = [SANITIZER_RUNTIME, SHIM]
    up = NotImplemented  # what it says in the log once it has come up

    def __init__(self, name, directory, program, flags):
        super().__init__(name, directory)
        self.program = program
        self.redis = "unix://" + os.path.join(directory, name + ".redis")
        self.store = os.path.join(directory, "store")  # or the URL of another one
        self.models = MODELS
        self.flags = list(flags)

    def spend_little_on_checks(self):
        """From its next start on, for a test that measures memory: the address sanitizer keeps up to
        256 MB of what was freed, and second stacks of 11 MB a thread, to find uses of them."""
        options = [os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=8",
                   "thread_local_quarantine_size_kb=64", "detect_stack_use_after_return=0"]
        self.environment["ASAN_OPTIONS"] = ":".join(filter(None, options))
        return self

    def has_served(self):
        """Since its last start."""
        return self.has_said(self.up)

    def last_line(self):
        return (self.log_text().splitlines() or [""])[-1]

    def common(self):
        return [os.path.join(BIN, self.program), "--redis", self.redis, "--store", self.store,
                "--models", self.models, "--name", f"{self.name}.{self.generation}"]


class Gateway(Service):
    up = "serving"

    def __init__(self, name, directory, program="phasor-gateway", flags=()):
        super().__init__(name, directory, program, flags)
        self.address = "unix:" + os.path.join(directory, name + ".sock")
        self.metrics = "off"
        self.secret = os.path.join(directory, "secret")

    def arguments(self):
        return [*self.common(), "--listen", self.address, "--metrics", self.metrics, "--grace", "2",
                "--secret-file", self.secret, *self.flags]


class Worker(Service):
    """Its node is its name, so that a job which kills two of them is known as the culprit."""

    up = "worker ready"

    def __init__(self, name, directory, gateways, lease, program="phasor-worker", flags=()):
        super().__init__(name, directory, program, flags)
        self.gateways, self.lease = gateways, lease
        self.metrics = "off"

    def arguments(self):
        return [*self.common(), "--gateways", ",".join(self.gateways), "--node", self.name,
                "--lease", str(self.lease), "--metrics", self.metrics, "--cache",
                os.path.join(self.directory, "cache"), *self.flags]


class Keeper:
    """Starts services again that ended by themselves, as a supervisor does."""

    def __init__(self, services, pause=0.1):
        self.exits = []
        self._services, self._pause = services, pause
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._stopped.wait(self._pause):
            for service in self._services:
                if not service.runs():
                    self.exits.append(Exit(service.name, service.process.returncode,
                                           time.monotonic(), service.has_served(),
                                           service.last_line()))
                    service.start()

    def stop(self):
        self._stopped.set()
        self._thread.join(LIMIT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
