#!/usr/bin/env python3
"""The images' root file systems, run as a container runtime runs them: a read-only root, a user without
rights, no capabilities, and the program as process 1. Needs root, and no docker. BIN_DIR: the programs.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
USER = 65532
LIMIT = 60
MODEL = "phasor-demo"
# Mounts what a runtime does, then becomes the program: process 1 of its namespace.
RUN = """
set -e
root=$1; volume=$2; shift 2
mount --bind "$root" "$root"
mount --bind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
[ -z "$volume" ] || mount --bind "$volume" "$root/var/lib/phasor"
mount -t proc proc "$root/proc"
mount -o remount,bind,ro "$root"
cd "$root"
exec chroot --userspec=65532:65532 --groups= . "$@"
"""

def make(folder, image, *programs):
    root = folder / (image if not programs else "redis")
    subprocess.run([ROOT / "deploy/docker/rootfs.sh", image, root, *programs], check=True)
    return root


class Container:
    def __init__(self, root, arguments, volume="", env=None, log=None):
        self.log = log
        with open(log, "wb") if log else open(os.devnull, "wb") as out:
            self.outer = subprocess.Popen(
                ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", RUN, "run",
                 root, volume, *arguments],
                env={"PATH": "/usr/bin:/usr/sbin", **(env or {})}, stdout=out,
                stderr=subprocess.STDOUT)

    def inner(self):
        """The pid of its process 1, seen from here."""
        path = f"/proc/{self.outer.pid}/task/{self.outer.pid}/children"
        for _ in range(LIMIT * 20):
            with open(path, encoding="ascii") as file:
                children = file.read().split()
            if children:
                return int(children[0])
            time.sleep(0.05)
        raise AssertionError("it did not start")

    def stop(self, what=signal.SIGTERM):
        """Its exit code."""
        if self.outer.poll() is None:
            os.kill(self.inner(), what)
        return self.outer.wait(LIMIT)

    def kill(self):
        if self.outer.poll() is None:
            self.outer.kill()
            self.outer.wait()


class Images(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="phasor-images-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.roots = {name: make(cls.folder, name) for name in ("gateway", "worker-cpu", "cli")}
        cls.redis = make(cls.folder, "programs", "/usr/bin/redis-server", "/usr/bin/redis-cli")

    def run_in(self, image, *arguments, env=None, volume=""):
        log = self.folder / "once.log"
        one = Container(self.roots[image], arguments, volume, env, log)
        code = one.outer.wait(LIMIT)
        return code, log.read_text(encoding="utf-8", errors="replace")

    def test_hold_no_shell_package_manager_compiler_or_cache(self):
        for name, root in self.roots.items():
            files = [path for path in root.rglob("*") if path.is_file()]
            programs = {path.name for path in files if path.parent == root / "usr/bin"}
            self.assertLessEqual(programs, {"phasor", "phasor-gateway", "phasor-worker"}, name)
            for path in files:
                self.assertNotRegex(str(path), r"/(dpkg|apt|gcc|cache)/", name)
                self.assertNotIn(path.suffix, (".a", ".h", ".o", ".py"), path)
                self.assertFalse(path.stat().st_mode & 0o6000, f"{path} changes the user")

    def test_say_what_they_are_made_of(self):
        for name, root in self.roots.items():
            with open(root / "usr/share/phasor/sbom.cdx.json", encoding="utf-8") as file:
                bill = json.load(file)
            parts = {one["name"] for one in bill["components"]}
            self.assertLessEqual({"libc6", "libgrpc++1.51"}, parts, name)
            for part in parts - {"torch"}:
                self.assertTrue((root / "usr/share/doc" / part / "copyright").exists(), part)

    def test_programs_start_with_nothing_but_what_is_in_them(self):
        for image, program in (("gateway", "phasor-gateway"), ("worker-cpu", "phasor-worker"),
                               ("cli", "phasor"), ("gateway", "phasor"), ("worker-cpu", "phasor")):
            code, text = self.run_in(image, f"/usr/bin/{program}", "--version")
            self.assertEqual(code, 0, text)

    def test_a_wrong_setting_ends_process_1_with_the_program_s_exit_code(self):
        code, text = self.run_in("worker-cpu", "/usr/bin/phasor-worker", "--engine", "none")
        self.assertEqual(code, 2, text)

    def fleet(self):
        """Redis, a gateway and a worker with a volume for results; all of them as process 1."""
        volume = self.folder / "volume"
        volume.mkdir()
        for path in (volume, *(volume / name for name in ("redis", "store"))):
            path.mkdir(exist_ok=True)
            os.chown(path, USER, USER)
        env = {"PHASOR_REDIS": "redis://127.0.0.1:16379", "PHASOR_STORE": "/var/lib/phasor/store",
               "PHASOR_MODELS": "/usr/share/phasor/models"}
        logs = {name: self.folder / f"{name}.log" for name in ("redis", "gateway", "worker")}
        redis = Container(self.redis, ["/usr/bin/redis-server", "--port", "16379", "--appendonly",
                                       "yes", "--dir", "/var/lib/phasor/redis"], volume, {},
                          logs["redis"])
        self.addCleanup(redis.kill)
        gateway = Container(self.roots["gateway"], ["/usr/bin/phasor-gateway"], volume,
                            {**env, "PHASOR_LISTEN": "127.0.0.1:15051",
                             "PHASOR_METRICS": "127.0.0.1:19464",
                             "PHASOR_SECRET_FILE": "/var/lib/phasor/secret"}, logs["gateway"])
        self.addCleanup(gateway.kill)
        worker = Container(self.roots["worker-cpu"], ["/usr/bin/phasor-worker"], volume,
                           {**env, "PHASOR_METRICS": "127.0.0.1:19465",
                            "PHASOR_GATEWAYS": "127.0.0.1:15051"}, logs["worker"])
        self.addCleanup(worker.kill)
        return {"worker": worker, "gateway": gateway, "redis": redis}, logs

    def wait_until_ready(self, logs):
        for port in (19464, 19465):
            end = time.monotonic() + LIMIT
            code = None
            while code != 0:
                code, text = self.run_in("cli", "/usr/bin/phasor", "probe", f"127.0.0.1:{port}")
                said = "".join(f"\n{name}: " + log.read_text() for name, log in logs.items())
                self.assertLess(time.monotonic(), end, text + said)

    def test_a_fleet_of_them_draws_a_picture_and_ends_in_order(self):
        fleet, logs = self.fleet()
        self.wait_until_ready(logs)
        for name in ("worker", "gateway"):
            status = pathlib.Path(f"/proc/{fleet[name].inner()}/status").read_text(encoding="utf-8")
            self.assertRegex(status, r"NSpid:\s+\d+\s+1\n", name)
            self.assertRegex(status, rf"Uid:\s+{USER}\s+{USER}", name)
            self.assertRegex(status, r"CapEff:\s+0+\n", name)
        out = self.folder / "out"
        out.mkdir()
        os.chown(out, USER, USER)
        code, text = self.run_in("cli", "/usr/bin/phasor", "--address", "127.0.0.1:15051",
                                 "generate", "--model", MODEL, "--steps", "2", "--output",
                                 "/var/lib/phasor/a.png", "a red circle", volume=out)
        self.assertEqual(code, 0, text)
        self.assertEqual((out / "a.png").read_bytes()[:8], b"\x89PNG\r\n\x1a\n")
        for name, container in fleet.items():
            started = time.monotonic()
            self.assertEqual(container.stop(), 0, logs[name].read_text())
            self.assertLess(time.monotonic() - started, 20, name)


if __name__ == "__main__":
    unittest.main()
