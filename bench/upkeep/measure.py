#!/usr/bin/env python3
"""What upkeep costs and how fast it is after a week: Redis with many jobs that ended and many that
wait, gateways beside it, nobody submitting or working. One column for each side, that is, for each
directory with programs.

Prints a table in Markdown: Redis's memory, its busy share, the slowest script, how long the audit
takes to put back what was deleted, a round of the store's sweeper, and how long thousands of jobs
that expire at once take to their records.
"""

import argparse
from pathlib import Path
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "shared"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "lib"))
from ports import free_port
from redis_server import P, Redis, script_names, wait_for, watch_scripts


class Gateways:
    def __init__(self, programs, redis, folder, count, models):
        self.first = f"unix:{folder}/gateway-0.sock"
        self._members = []
        for n in range(count):
            log = open(f"{folder}/gateway-{n}.log", "w")
            self._members.append(subprocess.Popen(
                [str(programs / "phasor-gateway"), "--listen", f"unix:{folder}/gateway-{n}.sock",
                 "--metrics", f"127.0.0.1:{free_port()}", "--redis", f"unix://{redis.socket}",
                 "--store", f"{folder}/store", "--models", models,
                 "--secret-file", f"{folder}/secret"], stdout=log, stderr=log))
            wait_for(lambda: Path(f"{folder}/gateway-{n}.sock").exists(), 30)

    def stop(self):
        for member in self._members:
            member.kill()
            member.wait()


def fill(programs, redis, folder, **load):
    command = [str(programs / "phasor-bench-upkeep"), "--redis", f"unix://{redis.socket}"]
    if load.pop("records", False):
        command += ["--store", f"{folder}/store"]
    for name, value in load.items():
        command += [f"--{name.replace('_', '-')}", str(value)]
    subprocess.run(command, check=True)


def repair_seconds(redis, limit):
    """Deletes a job's place in three indexes; seconds until each is back."""
    job = redis("ZRANGE", P + "live", 1000, 1000)
    model, other = "model-3", "model-5"
    tenant = redis("LINDEX", f"{P}ring:{model}:1", 0)
    lost_list = redis("LINDEX", f"{P}ring:{other}:2", 1)
    ready = redis("LINDEX", f"{P}q:{other}:2:{lost_list}", 0)
    redis("ZREM", P + "live", job)
    redis("LREM", f"{P}ring:{model}:1", 1, tenant)
    redis("LREM", f"{P}q:{other}:2:{lost_list}", 1, ready)
    waiting = {
        "live": lambda: redis("ZSCORE", P + "live", job) != "",
        "ring": lambda: redis("LPOS", f"{P}ring:{model}:1", tenant) != "",
        "list": lambda: redis("LPOS", f"{P}q:{other}:2:{lost_list}", ready) != "",
    }
    start, back = time.monotonic(), {}
    while waiting and time.monotonic() - start < limit:
        for name in [name for name, there in waiting.items() if there()]:
            back[name] = time.monotonic() - start
            del waiting[name]
        time.sleep(0.2)
    return {**back, **{name: None for name in waiting}}


def sweep_seconds(programs, gateway, limit):
    start = time.monotonic()
    try:
        subprocess.run([str(programs / "phasor"), "--address", gateway, "cleanup"], check=True,
                       timeout=limit, capture_output=True)
    except subprocess.TimeoutExpired:
        return None
    return time.monotonic() - start


def seconds_text(value, limit):
    return f"more than {limit:.0f} s" if value is None else f"{value:.1f} s"


def measure_week(programs, args, folder):
    names = script_names(programs / "phasor-gateway")
    redis = Redis(folder)
    rows = {}
    try:
        fill(programs, redis, folder, records=True, ended=args.ended, live=args.live,
             models=args.models, tenants=args.tenants)
        filled = int(redis.info()["used_memory"])
        gateways = Gateways(programs, redis, folder, args.gateways, args.cards)
        try:
            time.sleep(args.settle)
            rows["ended jobs that Redis remembers"] = redis("ZCARD", P + "gone")
            memory = int(redis.info()["used_memory"])
            rows["memory of Redis, filled"] = f"{filled / 2**20:.0f} MiB"
            rows[f"memory of Redis, {args.settle:.0f} s later"] = f"{memory / 2**20:.0f} MiB"
            busy, scripts = watch_scripts(redis, names, args.watch)
            rows["busy share of Redis"] = f"{100 * busy:.1f} %"
            longest = max(scripts, key=lambda name: scripts[name][2])
            rows["slowest script"] = f"{scripts[longest][2] / 1000:.1f} ms ({longest})"
            for name, (calls, share, most) in sorted(scripts.items(), key=lambda s: -s[1][1]):
                if share > 0.0005:
                    rows[f"of it {name}"] = (f"{100 * share:.2f} % ({calls:.0f} a second, longest "
                                             f"{most / 1000:.1f} ms)")
            for name, value in repair_seconds(redis, args.repair_limit).items():
                rows[f"a lost entry of `{name}` is back after"] = seconds_text(
                    value, args.repair_limit)
            rows["a round of the store's sweeper"] = seconds_text(
                sweep_seconds(programs, gateways.first, args.sweep_limit), args.sweep_limit)
        finally:
            gateways.stop()
    finally:
        redis.stop()
    return rows


def measure_expiry(programs, args, folder):
    """Seconds from the deadline of many jobs until all have their records."""
    redis = Redis(folder)
    gateways = Gateways(programs, redis, folder, 1, args.cards)
    try:
        after = 15
        deadline = time.monotonic() + after
        fill(programs, redis, folder, ended=0, live=args.expiring, deadline_after=after)
        time.sleep(max(0.0, deadline - time.monotonic()))
        took = wait_for(lambda: redis("ZCARD", P + "live") == "0", 120, 0.1)
    finally:
        gateways.stop()
        redis.stop()
    return {f"{args.expiring} jobs that expire at once are sealed after": seconds_text(took, 120)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", action="append", required=True, metavar="NAME=DIR",
                        help="a column: its name, and the directory with its programs")
    parser.add_argument("--ended", type=int, default=300_000)
    parser.add_argument("--live", type=int, default=50_000)
    parser.add_argument("--models", type=int, default=200)
    parser.add_argument("--tenants", type=int, default=5_000)
    parser.add_argument("--gateways", type=int, default=4)
    parser.add_argument("--expiring", type=int, default=3_000)
    parser.add_argument("--settle", type=float, default=60, help="seconds before measuring")
    parser.add_argument("--watch", type=float, default=20, help="seconds of the busy share")
    parser.add_argument("--repair-limit", type=float, default=300)
    parser.add_argument("--sweep-limit", type=float, default=300)
    parser.add_argument("--cards", default="models", help="directory of model cards")
    parser.add_argument("--folder", default="/dev/shm", help="where Redis and the store lie")
    args = parser.parse_args()
    columns = {}
    for side in args.side:
        name, _, programs = side.partition("=")
        columns[name] = {}
        for measure in (measure_week, measure_expiry):
            folder = tempfile.mkdtemp(prefix="phasor-upkeep-", dir=args.folder)
            try:
                columns[name].update(measure(Path(programs), args, folder))
            finally:
                shutil.rmtree(folder, ignore_errors=True)
        print(f"{name}: {columns[name]}", flush=True)
    rows = list(dict.fromkeys(row for column in columns.values() for row in column))
    print(f"| {args.ended} ended, {args.live} waiting, {args.models} models, {args.tenants} tenants, "
          f"{args.gateways} gateways | " + " | ".join(columns) + " |")
    print("|---|" + "---|" * len(columns))
    for row in rows:
        print(f"| {row} | " + " | ".join(column.get(row, "") for column in columns.values()) + " |")


if __name__ == "__main__":
    main()
