"""A private fleet and the command line, for tests: `phasor up` in a directory of its own, on unix
sockets, so that nothing collides with another fleet on the machine."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import zlib

from command import BIN, LIMIT, MODELS, run, wait_for  # also for those who import from here
from sanitizer import refuse_reports_in


def png_size(path):
    """Width and height of a PNG whose chunks are whole."""
    with open(path, "rb") as file:
        data = file.read()
    assert data[:8] == b"\x89PNG\r\n\x1a\n", f"{path} is no PNG"
    at = 8
    while at < len(data):
        size = int.from_bytes(data[at:at + 4], "big")
        body = data[at + 4:at + 8 + size]
        assert int.from_bytes(data[at + 8 + size:at + 12 + size], "big") == zlib.crc32(body)
        at += 12 + size
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


class Fleet:
    def __init__(self, *flags, models=MODELS, workers=1, listen=None):
        self.directory = tempfile.mkdtemp(prefix="phasor-e2e-", dir="/tmp")
        self.address = listen or f"unix:{self.directory}/gateway.sock"
        self.errors = open(os.path.join(self.directory, "up.log"), "w+")
        self.process = subprocess.Popen(
            [os.path.join(BIN, "phasor"), "up", "--dir", self.directory, "--models", models,
             "--workers", str(workers), "--listen", self.address, *map(str, flags)],
            stdout=subprocess.PIPE, stderr=self.errors, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("ready"):
            self.errors.seek(0)
            raise AssertionError("the fleet did not start: " + self.errors.read())

    def phasor(self, *arguments, **options):
        return run("--address", self.address, *arguments, **options)

    def path(self, name):
        return os.path.join(self.directory, name)

    def stats(self):
        return json.loads(self.phasor("stats", "--json")[1])

    def job(self, job_id):
        return json.loads(self.phasor("get", job_id, "--json")[1])

    def busy_worker(self):
        """The process id of a worker with a job, or None."""
        for worker in self.stats().get("workers", []):
            if worker["state"] == "busy":
                return int(worker["name"].rsplit("-", 2)[1])
        return None

    def children(self):
        """Process id by program name."""
        found = {}
        tasks = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        with open(tasks) as file:
            for pid in map(int, file.read().split()):
                with open(f"/proc/{pid}/comm") as comm:
                    found[comm.read().strip()] = pid
        return found

    def stop(self):
        """Stops in order; gives the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(LIMIT)
        self.process.stdout.close()
        self.errors.close()
        refuse_reports_in(self.directory)
        shutil.rmtree(self.directory)
        return code
