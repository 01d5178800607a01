"""A private redis-server for a benchmark, and what it says of its own work."""

import hashlib
import os
from pathlib import Path
import re
import resource
import subprocess
import time

P = "{phasor}:"
TICKS = os.sysconf("SC_CLK_TCK")


class Redis:
    """On a unix socket, set up as `phasor up` does; `options` are redis-server's, with
    underscores, and replace those here."""

    def __init__(self, folder, **options):
        self.socket = Path(folder) / "redis.sock"
        settings = {"port": 0, "unixsocket": self.socket, "dir": folder, "appendonly": "yes",
                    "appendfsync": "everysec", "save": "", "maxmemory-policy": "noeviction",
                    # No rewrite in the middle of a measurement.
                    "auto-aof-rewrite-percentage": 0, "slowlog-max-len": 500000,
                    "slowlog-log-slower-than": -1, "busy-reply-threshold": 0,
                    "daemonize": "no", "logfile": Path(folder) / "redis.log"}
        settings.update({name.replace("_", "-"): value for name, value in options.items()})
        command = ["redis-server"]
        for name, value in settings.items():
            command += [f"--{name}", str(value)]
        self._process = subprocess.Popen(command)
        if wait_for(lambda: self("PING", check=False) == "PONG", 30) is None:
            raise SystemExit("redis-server does not answer")

    def __call__(self, *arguments, check=True):
        done = subprocess.run(["redis-cli", "-s", str(self.socket), *map(str, arguments)],
                              capture_output=True, text=True, errors="replace", check=check)
        return done.stdout.strip()

    def info(self):
        text = self("INFO", "everything")
        if "used_memory:" not in text:
            raise SystemExit(f"redis-server is gone: {text[:200]}; its log ends with\n" +
                             (self.socket.parent / "redis.log").read_text()[-2000:])
        lines = (line.partition(":") for line in text.splitlines())
        return {name: value.strip() for name, _, value in lines}

    def busy_seconds(self):
        """Of its main thread."""
        return busy_seconds(self.info())

    def cpu_seconds(self):
        """Of all its threads."""
        return cpu_seconds(self._process.pid)

    def used_memory(self):
        return int(self.info()["used_memory"])

    def stop(self):
        self._process.kill()
        self._process.wait()


def busy_seconds(info):
    return float(info["used_cpu_user_main_thread"]) + float(info["used_cpu_sys_main_thread"])


def cpu_seconds(pid):
    """User and system time of a process; 0 when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS


def raise_file_limit():
    """As many open files as are allowed, also for what is started later. Returns how many."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def wait_for(condition, seconds, pause=0.05):
    """Seconds until it holds; None if it does not within the limit."""
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        if condition():
            return time.monotonic() - start
        time.sleep(pause)
    return None


def script_names(program):
    """SHA-1 -> name of the Lua scripts that a program carries."""
    names = {}
    for text in re.findall(rb"#!lua[^\0]*", Path(program).read_bytes()):
        name = re.search(rb"^-- ([A-Z_]+):", text, re.M)
        if name:
            names[hashlib.sha1(text).hexdigest()] = name.group(1).decode()
    return names


def slow_log(redis, names):
    """(command or script, microseconds) of each command."""
    lines = redis("SLOWLOG", "GET", 500000).splitlines()
    found = []
    for at, line in enumerate(lines):
        if line.upper() == "EVALSHA" and at + 1 < len(lines):
            found.append((names.get(lines[at + 1], "?"), int(lines[at - 1])))
    return found


def watch_scripts(redis, names, seconds):
    """Busy share, and of each script: calls a second, share of Redis's time, longest run."""
    redis("CONFIG", "SET", "slowlog-log-slower-than", 0)
    redis("SLOWLOG", "RESET")
    start, busy = time.monotonic(), redis.busy_seconds()
    time.sleep(seconds)
    busy = (redis.busy_seconds() - busy) / (time.monotonic() - start)
    redis("CONFIG", "SET", "slowlog-log-slower-than", -1)
    scripts = {}
    for name, micros in slow_log(redis, names):
        calls, total, longest = scripts.get(name, (0, 0, 0))
        scripts[name] = (calls + 1, total + micros, max(longest, micros))
    return busy, {name: (calls / seconds, total / 1e6 / seconds, longest)
                  for name, (calls, total, longest) in scripts.items()}
