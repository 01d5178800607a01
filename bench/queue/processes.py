"""Starting Redis and the benchmark's processes, and reading what they cost."""

from pathlib import Path
import subprocess
import sys
import threading

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "shared"))
from redis_server import Redis as PrivateRedis, cpu_seconds, wait_for


class Redis(PrivateRedis):
    """One that is emptied between measurements."""

    def __init__(self, folder, fsync):
        super().__init__(folder, appendfsync=fsync)

    def version(self):
        return self.info()["redis_version"]

    def reset(self):
        """An empty database and an empty append-only file."""
        self("FLUSHALL", "SYNC")
        self("SCRIPT", "FLUSH", "SYNC")
        self("BGREWRITEAOF")
        if wait_for(self._is_rewritten, 30, 0.02) is None:
            raise SystemExit("redis-server does not rewrite its file")

    def _is_rewritten(self):
        info = self.info()
        return info["aof_rewrite_in_progress"] == "0" and info["aof_rewrite_scheduled"] == "0"


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
