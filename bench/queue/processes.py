"""Starting Redis and the benchmark's processes, and reading what they cost."""

import os
from pathlib import Path
import subprocess
import threading
import time

TICKS = os.sysconf("SC_CLK_TCK")


class Redis:
    """A private redis-server on a unix socket with an append-only file."""

    def __init__(self, folder, fsync):
        self.socket = Path(folder) / "redis.sock"
        options = {"port": 0, "unixsocket": self.socket, "dir": folder, "appendonly": "yes",
                   "appendfsync": fsync, "save": "", "maxmemory-policy": "noeviction",
                   # No rewrite in the middle of a measurement: reset() does it.
                   "auto-aof-rewrite-percentage": 0, "daemonize": "no",
                   "logfile": Path(folder) / "redis.log"}
        command = ["redis-server"]
        for name, value in options.items():
            command += [f"--{name}", str(value)]
        self._process = subprocess.Popen(command)
        self._wait_until(lambda: self.call("PING", check=False) == "PONG")

    def stop(self):
        self._process.terminate()
        self._process.wait()

    def call(self, *arguments, check=True):
        done = subprocess.run(["redis-cli", "-s", str(self.socket), *arguments],
                              capture_output=True, text=True, check=check)
        return done.stdout.strip()

    def info(self):
        lines = (line.partition(":") for line in self.call("INFO", "everything").splitlines())
        return {name: value.strip() for name, _, value in lines}

    def used_memory(self):
        return int(self.info()["used_memory"])

    def version(self):
        return self.info()["redis_version"]

    def cpu_seconds(self):
        return cpu_seconds(self._process.pid)

    def reset(self):
        """An empty database and an empty append-only file."""
        self.call("FLUSHALL", "SYNC")
        self.call("SCRIPT", "FLUSH", "SYNC")
        self.call("BGREWRITEAOF")
        self._wait_until(lambda: self.info()["aof_rewrite_in_progress"] == "0"
                         and self.info()["aof_rewrite_scheduled"] == "0")

    @staticmethod
    def _wait_until(condition):
        end = time.monotonic() + 30
        while not condition():
            if time.monotonic() > end:
                raise SystemExit("redis-server does not answer")
            time.sleep(0.02)


class Member:
    """A process of one side. Its standard error goes to ours."""

    def __init__(self, command):
        self._command = command
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         text=True)
        self.done = 0
        self.newest = 0.0
        self.output = ""
        if self._process.stdout.readline() != "ready\n":
            raise SystemExit(f"did not start: {' '.join(command)}")
        self._cpu_at_start = cpu_seconds(self._process.pid)
        self._cpu = self._cpu_at_start
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def go(self):
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def cpu(self):
        """Seconds of processor time since the start, as of the last line that it printed."""
        return self._cpu - self._cpu_at_start

    def failed(self):
        return self._process.poll() not in (None, 0)

    def join(self):
        """For a process that ends by itself; consumers end when their input does."""
        self._process.stdin.close()
        self._process.wait(timeout=120)
        self._reader.join()
        if self._process.returncode != 0:
            raise SystemExit(f"failed: {' '.join(self._command)}")

    def kill(self):
        self._process.kill()
        self._process.wait()

    def _read(self):
        for line in self._process.stdout:
            self._cpu = max(self._cpu, cpu_seconds(self._process.pid))
            if line.startswith("{"):
                self.output = line
            else:
                newest, done = line.split()
                self.newest, self.done = float(newest), int(done)


def cpu_seconds(pid):
    """User and system time of a process; 0 when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS
