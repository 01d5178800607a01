"""Phasor's queue, asynq and BullMQ side by side on one Redis: jobs submitted, taken and completed
per second, memory per waiting job, and the latency of a take.

    compare.py --phasor build/bin/phasor-bench-queue --asynq ASYNQ_BENCH --bullmq FOLDER

All sides use the same redis-server, emptied between measurements, with the same append-only file;
payloads are equal, handlers do nothing, finished jobs are kept, ids are the caller's. The sides
take turns, A B C A B C ..., so that a machine whose speed drifts slows all alike; figures are
medians over the rounds, ratios the medians of the rounds' ratios.
"""

import argparse
import json
from pathlib import Path
import statistics
import sys
import tempfile
import time

from peers import sides
from processes import Member, Redis

# workers -> jobs of one measurement: one worker alone is slow
WORKERS = {1: 5_000, 8: 20_000, 64: 20_000}
DEPTH = 100_000  # jobs that wait while takes are timed
TIMEOUT = 300


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--phasor", type=Path, required=True, help="phasor-bench-queue")
    parser.add_argument("--asynq", type=Path, required=True, help="program of bench/queue/asynq")
    parser.add_argument("--bullmq", type=Path, required=True, help="bench/queue/bullmq, installed")
    parser.add_argument("--sides", default="phasor,asynq,bullmq")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", help="numbers of workers, comma separated; default: 1,8,64")
    parser.add_argument("--fsync", choices=["everysec", "always", "no"], default="everysec")
    parser.add_argument("--payload", type=int, default=300, help="bytes of a job")
    parser.add_argument("--tenants", type=int, default=1, help="of Phasor; the others know none")
    parser.add_argument("--phasor-connections", type=int, default=2, help="of a consumer")
    parser.add_argument("--asynq-servers", type=int, default=4)
    parser.add_argument("--bullmq-processes", type=int, default=2, help="consumers")
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of jobs")
    parser.add_argument("--no-takes", action="store_true", help="leave out the takes' latency")
    parser.add_argument("--json", type=Path, help="all figures, for a machine")
    return parser.parse_args()


def run(redis, commands, jobs):
    """Starts all commands at once; the last must be consumers or a lone producer, whose counts
    together reach `jobs`. Returns the rate and the processor time per job."""
    members = [Member(command) for command in commands]
    counted = [m for m, c in zip(members, commands) if c[-1] == "consume"] or members
    try:
        redis_cpu = redis.cpu_seconds()
        start = time.time()
        for member in members:
            member.go()
        while sum(member.done for member in counted) < jobs:
            if any(member.failed() for member in members) or time.time() > start + TIMEOUT:
                raise SystemExit(f"a process failed or hung: {commands}")
            time.sleep(0.01)
        seconds = max(member.newest for member in counted) - start
        redis_cpu = redis.cpu_seconds() - redis_cpu
        for member in members:
            member.join()
    except BaseException:
        for member in members:
            member.kill()
        raise
    return {"rate": jobs / seconds, "redis_us": 1e6 * redis_cpu / jobs,
            "client_us": 1e6 * sum(member.cpu() for member in members) / jobs}


def fill(redis, side, jobs, payload):
    """Submits to an empty Redis -> the submits' figures with memory per job."""
    redis.reset()
    before = redis.used_memory()
    figures = run(redis, [side.produce(jobs, payload)], jobs)
    figures["bytes"] = (redis.used_memory() - before) / jobs
    return figures


def measure(redis, side, workers, jobs, payload):
    """One measurement of one side at one number of workers."""
    submit = fill(redis, side, jobs, payload)
    drain = run(redis, side.consume(workers), jobs)
    redis.reset()
    cycle = run(redis, [side.produce(jobs, payload), *side.consume(workers)], jobs)
    return {"submit": submit, "drain": drain, "cycle": cycle}


def measure_takes(redis, side, args):
    """Latency of a take while DEPTH jobs wait: from one worker alone, and from 64 at once."""
    takes = int(10_000 * args.scale) + 1
    fill(redis, side, DEPTH + 2 * takes, args.payload)
    figures = {}
    for workers in (1, 64):
        member = Member(side.takes(takes, workers))
        member.go()
        member.join()
        figures[workers] = json.loads(member.output)
    return figures


def median(rounds, pick):
    return statistics.median(pick(r) for r in rounds)


def show(title, names, rounds, phase):
    """A row per side; the last column is Phasor's rate over the side's."""
    print(f"{title}\n  {'':<10}{'jobs/s':>9}{'Redis us':>10}{'client us':>11}{'bytes':>8}"
          f"{'Phasor/it':>11}")
    for name in names:
        figure = lambda key: median(rounds, lambda r: r[name][phase].get(key, 0))
        ratio = "-"
        if name != "phasor" and "phasor" in names:
            ratio = f"{median(rounds, lambda r: r['phasor'][phase]['rate'] / r[name][phase]['rate']):.2f}"
        size = f"{figure('bytes'):.0f}" if phase == "submit" else ""
        print(f"  {name:<10}{figure('rate'):>9.0f}{figure('redis_us'):>10.1f}"
              f"{figure('client_us'):>11.1f}{size:>8}{ratio:>11}", flush=True)


def show_takes(name, rounds):
    print(f"take by {name}, {DEPTH} jobs waiting")
    for workers, load in ((1, "one worker"), (64, "64 workers, saturated")):
        pick = lambda key: median(rounds, lambda r: r[workers][key])
        print(f"  {load:<24}p50 {pick('p50_ms'):.3f} ms   p99 {pick('p99_ms'):.3f} ms", flush=True)


def main():
    args = parse()
    chosen = [int(n) for n in args.workers.split(",")] if args.workers else list(WORKERS)
    results = {"workers": {n: [] for n in chosen}, "takes": {}}
    with tempfile.TemporaryDirectory(prefix="phasor-bench.") as folder:
        redis = Redis(folder, args.fsync)
        try:
            contenders = sides(args, redis.socket)
            print(f"Redis {redis.version()}, append-only file with fsync {args.fsync}; payload "
                  f"{args.payload} bytes; {args.rounds} rounds", flush=True)
            for number in range(1, args.rounds + 1):
                for workers in chosen:
                    print(f"round {number}, {workers} workers", file=sys.stderr, flush=True)
                    jobs = int(WORKERS.get(workers, 20_000) * args.scale)
                    results["workers"][workers].append(
                        {name: measure(redis, side, workers, jobs, args.payload)
                         for name, side in contenders.items()})
                if args.no_takes:
                    continue
                for name in ("phasor", "bullmq"):  # asynq has no call that takes one job
                    if name in contenders:
                        results["takes"].setdefault(name, []).append(
                            measure_takes(redis, contenders[name], args))
        finally:
            redis.stop()
    rounds = [r for per in results["workers"].values() for r in per]
    show("submit", contenders, rounds, "submit")
    for workers in chosen:
        rounds = results["workers"][workers]
        show(f"take and complete, queue filled before, {workers} workers", contenders, rounds, "drain")
        show(f"submit, take and complete at once, {workers} workers", contenders, rounds, "cycle")
    for name, rounds in results["takes"].items():
        show_takes(name, rounds)
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
