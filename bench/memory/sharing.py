#!/usr/bin/env python3
"""Two models that alternate in a queue, on a simulated card that holds one of them: each job alone beside
groups of jobs that share the card phase by phase.

    sharing.py --bin build/bin --model models/phasor-demo [--vram 32MiB] [--group 1,8]

Each side has a fleet of its own (redis-server, gateway, one worker), the same queue, and begins once all
jobs have waited for --aged seconds: before that the queue itself prefers the loaded model. The sides take
turns, --rounds times. Prints a table: time for the queue, model swaps, how often and for how long weights
moved and models were loaded. Exit code 1 if a picture differs between the sides, or if the last side
moved weights no less often than the first.
"""

import argparse
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "lib"))
from ports import free_port

NAMES = ("alpha", "beta")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bin", required=True, type=Path)
    parser.add_argument("--model", required=True, type=Path, help="taken under two names")
    parser.add_argument("--vram", default="32MiB")
    parser.add_argument("--strategy", default="CPU_OFFLOAD",
                        help="FP16_FULL: one model as a whole, AUTO: what fits")
    parser.add_argument("--group", default="1,4,8", help="jobs of a group, a side for each")
    parser.add_argument("--group-wait", default="7.5")
    parser.add_argument("--in-memory", type=int, default=1, help="models that the worker keeps")
    parser.add_argument("--jobs", type=int, default=40)
    parser.add_argument("--sizes", default="64,96")
    parser.add_argument("--steps", default="1,2,4")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--aged", type=float, default=31)
    parser.add_argument("--rounds", type=int, default=1)
    return parser.parse_args()


def wait_for(what, condition, seconds=60, pause=0.05):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(pause)
    raise SystemExit(f"{what} did not happen within {seconds} s")


class Fleet:
    """redis-server and a gateway; the worker comes when it is told to."""

    def __init__(self, args, models):
        self.args, self.models = args, models
        self.folder = Path(tempfile.mkdtemp(prefix="phasor-sharing-", dir="/tmp"))
        self.redis = f"unix://{self.folder}/redis.sock"
        self.gateway = f"unix:{self.folder}/gateway.sock"
        self.metrics = f"127.0.0.1:{free_port()}"
        self.processes = []
        (self.folder / "secret").write_text("0" * 64)
        self.start("redis", "redis-server", "--port", 0, "--unixsocket", self.folder / "redis.sock",
                   "--dir", self.folder, "--appendonly", "yes", "--save", "",
                   "--maxmemory-policy", "noeviction")
        wait_for("redis-server", (self.folder / "redis.sock").exists)
        self.start("gateway", args.bin / "phasor-gateway", "--redis", self.redis,
                   "--store", self.folder / "store", "--models", models, "--secret-file",
                   self.folder / "secret", "--listen", self.gateway, "--metrics", "127.0.0.1:0")
        wait_for("the gateway", lambda: self.phasor("stats")[0] == 0)

    def start(self, name, *command):
        log = open(self.folder / f"{name}.log", "w")
        self.processes.append(subprocess.Popen(list(map(str, command)), stdout=log, stderr=log))

    def start_worker(self, group):
        self.start("worker", self.args.bin / "phasor-worker", "--redis", self.redis,
                   "--store", self.folder / "store", "--models", self.models,
                   "--gateways", self.gateway, "--metrics", self.metrics, "--engine", "real",
                   "--device", "sim", "--vram", self.args.vram, "--strategy",
                   self.args.strategy, "--threads", self.args.threads,
                   "--max-models-resident", self.args.in_memory, "--cache", self.folder / "cache",
                   "--group", group, "--group-wait", self.args.group_wait)

    def phasor(self, *arguments):
        done = subprocess.run([str(self.args.bin / "phasor"), "--address", self.gateway,
                               *map(str, arguments)], capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    def submit(self, model, number, size, steps):
        code, out, err = self.phasor("submit", f"a red circle {number}", "--model", model, "--seed",
                                     number, "--width", size, "--height", size, "--steps", steps)
        if code != 0:
            raise SystemExit(f"submit: {err}")
        return out.strip()

    def job(self, name):
        return json.loads(self.phasor("get", name, "--json")[1])

    def samples(self):
        """The worker's metrics: name -> [(labels, value)]."""
        with urllib.request.urlopen(f"http://{self.metrics}/metrics", timeout=10) as reply:
            found = {}
            for name, labels, value in re.findall(r"^phasor_(\w+)(?:\{(.*)\})? ([0-9.e+-]+)",
                                                  reply.read().decode(), re.MULTILINE):
                found.setdefault(name, []).append((labels, float(value)))
            return found

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
            process.wait(60)
        shutil.rmtree(self.folder)


def measure(args, models, group):
    """One side, once."""
    fleet = Fleet(args, models)
    try:
        sizes, steps = ([int(one) for one in words.split(",")] for words in (args.sizes, args.steps))
        jobs = [fleet.submit(NAMES[number % 2], number, sizes[number // 2 % len(sizes)],
                             steps[number // 2 % len(steps)]) for number in range(args.jobs)]
        time.sleep(args.aged)
        fleet.start_worker(group)

        def done():
            try:
                ended = sum(value for labels, value in fleet.samples().get("jobs_total", []))
            except OSError:
                return False
            return ended >= args.jobs
        wait_for("the end of all jobs", done, 1_800, pause=0.2)
        views = [fleet.job(name) for name in jobs]
        wrong = [view for view in views if view["state"] != "DONE"]
        if wrong:
            raise SystemExit(f"not done: {wrong}")
        samples = fleet.samples()

        def total(name):
            return sum(value for _, value in samples.get(name, []))

        def taken(view):
            queue = [one["seconds"] for one in view["result"]["timings"] if one["phase"] == "queue"]
            return int(view["created_ms"]) / 1000 + queue[0]
        return {"seconds": max(int(view["finished_ms"]) for view in views) / 1000 -
                           min(map(taken, views)),
                "swaps": total("model_swaps_total"),
                "moves": total("weights_moved_seconds_count"),
                "move_seconds": total("weights_moved_seconds_sum"),
                "loads": total("model_load_seconds_count"),
                "load_seconds": total("model_load_seconds_sum"),
                "groups": total("group_jobs_count"),
                "degraded": sum(len(view["result"].get("degradations", [])) for view in views),
                "pictures": [[image["sha256"] for image in view["result"]["images"]]
                             for view in views]}
    finally:
        fleet.stop()


def models_of(args, folder):
    """The model under two names."""
    for name in NAMES:
        shutil.copytree(args.model, folder / name)
        card = folder / name / "phasor.yaml"
        if not card.exists():
            continue  # the folder's name is the model's
        card.write_text(re.sub(r"^name: .*$", f"name: {name}", card.read_text(), flags=re.MULTILINE))
    return folder


def each(seconds, count):
    return f"{1000 * seconds / count:.0f} ms" if count else ""


def main():
    args = parse()
    groups = [int(one) for one in args.group.split(",")]
    runs = {group: [] for group in groups}
    with tempfile.TemporaryDirectory(prefix="phasor-sharing-models-", dir="/tmp") as folder:
        models = models_of(args, Path(folder))
        for _ in range(args.rounds):
            for group in groups:
                runs[group].append(measure(args, models, group))
    print(f"{args.jobs} jobs of two models by turns, {args.sizes} pixels, {args.steps} steps, "
          f"{args.vram}, {args.strategy}, {args.in_memory} in memory, {args.threads} threads, "
          f"{args.rounds} rounds\n")
    print("| `--group` | seconds | jobs/s | next to the first | model swaps | loads | each | "
          "weights moved | each | groups | degradations |")
    print("|" + "---|" * 11)
    base = statistics.median(run["seconds"] for run in runs[groups[0]])
    for group in groups:
        seconds = [run["seconds"] for run in runs[group]]
        median = statistics.median(seconds)
        run = runs[group][-1]
        print(f"| {group} | {', '.join(f'{one:.1f}' for one in seconds)} | {args.jobs / median:.2f} "
              f"| {base / median:.2f} | {run['swaps']:.0f} | {run['loads']:.0f} "
              f"| {each(run['load_seconds'], run['loads'])} | {run['moves']:.0f} "
              f"| {each(run['move_seconds'], run['moves'])} | {run['groups']:.0f} "
              f"| {run['degraded']} |")
    pictures = {json.dumps(run["pictures"]) for group in groups for run in runs[group]}
    if len(pictures) > 1:
        print("pictures differ")
    first, last = (runs[group][-1]["moves"] for group in (groups[0], groups[-1]))
    if last >= first:
        print("sharing saved nothing")
    return len(pictures) > 1 or last >= first


if __name__ == "__main__":
    sys.exit(main())
