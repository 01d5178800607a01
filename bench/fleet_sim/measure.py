#!/usr/bin/env python3
"""How many workers one Redis feeds: fleets of simulated workers and gateways on a private
redis-server. Each fleet stands idle first, then works at a share of what it can,
and the largest gets shorter and shorter jobs until something gives.

Prints tables in Markdown: what takes, renewals and Redis cost, and what Redis's time goes to.
"""

import argparse
import json
from pathlib import Path
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "shared"))
from redis_server import (TICKS, Redis, busy_seconds, cpu_seconds, raise_file_limit,
                          script_names, watch_scripts)

CONNECTIONS = 2  # of a worker
OTHERS = 400     # of gateways, checks and redis-cli
CALLS = ("evalsha", "eval", "blpop", "publish", "info", "hget")


class Fleet:
    """phasor-bench-fleet, and what it costs beside Redis and gateways."""

    def __init__(self, programs, redis, workers, options):
        self._process = subprocess.Popen(
            [str(programs / "phasor-bench-fleet"), "--redis", f"unix://{redis.socket}",
             "--workers", str(workers), *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True)
        if self._process.stdout.readline() != "ready\n":
            raise SystemExit("the fleet did not start")

    def work(self, rate, job_seconds):
        self._say(f"work {rate} {job_seconds}")

    def begin(self):
        self._say("begin")

    def report(self):
        self._say("report")
        return json.loads(self._process.stdout.readline())

    def cpu_seconds(self):
        return cpu_seconds(self._process.pid)

    def stop(self):
        self._process.stdin.close()
        self._process.wait(timeout=120)

    def _say(self, order):
        self._process.stdin.write(order + "\n")
        self._process.stdin.flush()


def machine_seconds():
    """Processor seconds that the machine has been busy."""
    fields = [int(f) for f in Path("/proc/stat").read_text().split("\n")[0].split()[1:]]
    ticks = sum(fields) - fields[3] - fields[4] - sum(fields[8:10])
    return ticks / TICKS


def commands_of(info):
    """Name -> calls of each command and its microseconds, those within scripts too."""
    found = {}
    for name, value in info.items():
        if name.startswith("cmdstat_"):
            fields = dict(field.split("=") for field in value.split(","))
            found[name[len("cmdstat_"):]] = (int(fields["calls"]), int(fields["usec"]))
    return found


def window(redis, fleet, seconds):
    """What happened in so many seconds: the fleet's report, and of Redis and the machine."""
    before, parties = redis.info(), (redis, fleet)
    cpu = [party.cpu_seconds() for party in parties]
    machine = machine_seconds()
    fleet.begin()
    time.sleep(seconds)
    seen = fleet.report()
    after = redis.info()
    took = seen["seconds"]
    cpu = [(party.cpu_seconds() - start) / took for party, start in zip(parties, cpu)]
    was = commands_of(before)
    seen["redis"] = (busy_seconds(after) - busy_seconds(before)) / took
    seen["fleet_cpu"] = cpu[1]
    seen["elsewhere"] = (machine_seconds() - machine) / took - sum(cpu)
    seen["commands"] = {
        name: tuple((new - old) / took for new, old in zip(now, was.get(name, (0, 0))))
        for name, now in commands_of(after).items()}
    for name, field in (("in", "total_net_input_bytes"), ("out", "total_net_output_bytes")):
        seen[name] = (int(after[field]) - int(before[field])) / took
    seen["connected"] = int(after["connected_clients"])
    return seen


def calls(seen):
    return sum(seen["commands"].get(name, (0, 0))[0] for name in CALLS)


def done(seen):
    """Jobs a second."""
    return seen["work"]["count"] / seen["seconds"]


def millis(sample, which):
    return f"{sample[which]:.1f}" if sample["count"] else "-"


def both(sample):
    return f"{millis(sample, 'p50_ms')} / {millis(sample, 'p99_ms')}"


def scripts_text(scripts, least=0.005):
    parts = sorted(scripts.items(), key=lambda item: -item[1][1])
    return ", ".join(f"{name} {100 * share:.1f} % ({1e6 * share / rate:.0f} us)"
                     for name, (rate, share, _) in parts if share >= least)


def commands_text(seen):
    """What Redis's time goes to; the rest is sockets and parsing."""
    shares = {name: seen["commands"].get(name, (0, 0))[1] / 1e6 for name in CALLS}
    # Scripts publish as well, and that is in their time.
    inside = seen["commands"].get("publish", (0, 0))[0] - seen["publish"]["count"] / seen["seconds"]
    parts = [f"{name} {100 * share:.1f} %" for name, share in shares.items() if share >= 0.002]
    return ", ".join(parts) + f", all {100 * seen['redis']:.1f} % (events of scripts: {inside:.0f}/s)"


def idle_row(workers, seen, memory):
    return (f"| {workers} | {100 * seen['redis']:.1f} % | {1e6 * seen['redis'] / workers:.0f} us | "
            f"{calls(seen):.0f} | {both(seen['empty_take'])} ms | {memory / 1024:.1f} KiB | "
            f"{seen['fleet_cpu']:.2f}, {seen['elsewhere']:.2f} |")


IDLE_HEAD = """| Workers, idle | Redis, of a core | a second and worker | calls/s | take in vain, p50 / p99 | \
memory of Redis per worker | cores: fleet, others |
|---|---|---|---|---|---|---|"""


def busy_row(workers, seconds, seen):
    rate = done(seen)
    use = seen["work"].get("sum_s", 0) / seen["seconds"] / workers
    bytes_per_job = (seen["in"] + seen["out"]) / rate / 1024
    return (f"| {workers} | {seconds:g} s, {100 * use:.0f} % | {rate:.1f} | {100 * seen['redis']:.1f} % | "
            f"{1e6 * seen['redis'] / rate:.0f} us | {calls(seen) / rate:.0f} | {bytes_per_job:.0f} KiB | "
            f"{both(seen['take'])} | {both(seen['next_take'])} | {both(seen['reach'])} | "
            f"{both(seen['renew'])} | {both(seen['submit'])} | "
            f"{seen['fleet_cpu']:.2f}, {seen['elsewhere']:.2f} |")


BUSY_HEAD = """| Workers | jobs of, in use | jobs/s | Redis, of a core | Redis per job | calls per job | \
bytes per job | take, idle worker | take, next job | submit to taken | renewal | submit | \
cores: fleet, others |
|---|---|---|---|---|---|---|---|---|---|---|---|---|"""


class Rows:
    """Tables that grow while the benchmark runs."""

    def __init__(self):
        self.idle, self.busy, self.notes = [], [], []

    def note(self, text):
        print(text, file=sys.stderr, flush=True)
        self.notes.append(text)

    def print(self):
        for head, rows in ((IDLE_HEAD, self.idle), (BUSY_HEAD, self.busy)):
            if rows:
                print(head, *rows, "", sep="\n")
        print(*[f"- {note}" for note in self.notes], sep="\n", flush=True)


def work(args, fleet, parts, rows, workers, seconds):
    """One row of a working fleet; returns whether it kept up."""
    redis, names = parts
    rate = args.use * workers / seconds
    fleet.work(rate, seconds)
    time.sleep(max(args.settle, 3 * seconds))
    seen = window(redis, fleet, args.watch)
    rows.busy.append(busy_row(workers, seconds, seen))
    print(rows.busy[-1], file=sys.stderr, flush=True)
    if seen["trouble"]:
        rows.note(f"{workers} workers, jobs of {seconds:g} s: {seen['trouble']}")
    if args.scripts > 0:
        _, scripts = watch_scripts(redis, names, args.scripts)
        rows.note(f"{workers} workers, jobs of {seconds:g} s: {scripts_text(scripts)}; "
                  f"{commands_text(seen)}")
    return done(seen) > 0.9 * rate and seen["reach"].get("p99_ms", 1e9) < args.limit_ms


def measure(args, programs, workers, last, rows, folder):
    names = script_names(programs / "phasor-bench-fleet")
    redis = Redis(folder, maxclients=CONNECTIONS * workers + OTHERS)
    try:
        empty = redis.used_memory()
        fleet = Fleet(programs, redis, workers, args.options)
        try:
            time.sleep(args.settle)
            memory = (redis.used_memory() - empty) / workers
            seen = window(redis, fleet, args.watch)
            rows.idle.append(idle_row(workers, seen, memory))
            print(rows.idle[-1], file=sys.stderr, flush=True)
            if args.scripts > 0:
                _, scripts = watch_scripts(redis, names, args.scripts)
                rows.note(f"{workers} workers, idle: {scripts_text(scripts)}; {commands_text(seen)}")
            for seconds in args.job_seconds if last else args.job_seconds[:1]:
                if not work(args, fleet, (redis, names), rows, workers, seconds):
                    rows.note(f"{workers} workers do not keep up with jobs of {seconds:g} s")
                    break
        finally:
            fleet.stop()
    finally:
        redis.stop()


def numbers(kind):
    return lambda text: [kind(word) for word in text.split(",")]


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", type=Path, required=True, help="directory with the programs")
    parser.add_argument("--workers", type=numbers(int), default=[10, 100, 1_000, 5_000])
    parser.add_argument("--job-seconds", type=numbers(float), default=[6, 3, 1.5, 0.75],
                        help="mean length of a job; all but the first for the largest fleet alone")
    parser.add_argument("--use", type=float, default=0.8, help="of the workers' time")
    parser.add_argument("--settle", type=float, default=20, help="seconds before measuring")
    parser.add_argument("--watch", type=float, default=30, help="seconds of each measurement")
    parser.add_argument("--scripts", type=float, default=5,
                        help="seconds in which scripts are timed one by one; 0: not at all")
    parser.add_argument("--limit-ms", type=float, default=1_000,
                        help="a fleet whose p99 from submit to taken is longer does not keep up")
    parser.add_argument("--folder", default="/dev/shm", help="where Redis lies")
    parser.add_argument("options", nargs="*", help="of phasor-bench-fleet, after --")
    return parser.parse_args()


def main():
    args = parse()
    files = raise_file_limit()
    rows = Rows()
    for workers in args.workers:
        if CONNECTIONS * workers + OTHERS > files:
            rows.note(f"{workers} workers need more open files than {files} (ulimit -n)")
            continue
        folder = tempfile.mkdtemp(prefix="phasor-fleet-", dir=args.folder)
        try:
            measure(args, args.bin, workers, workers == args.workers[-1], rows, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    rows.print()


if __name__ == "__main__":
    main()
