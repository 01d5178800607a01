#!/usr/bin/env python3
"""Whether a worker's memory stays what it is: thousands of small pictures of two models that take turns on
a worker that holds one.

    switches.py --bin build/bin --model models/phasor-demo [--pictures 5000] [--turn 10]

Starts a private fleet with one worker, whose second model is a copy of the first under another name, submits
`turn` pictures of the one, then of the other, and so on, each turn after the last one's end, and prints a table:
resident set of the worker, switches and pictures. Exit code 1 if a job came to nothing.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sharing import wait_for

NAMES = ("one", "two")
MIB = 1 << 10  # of what /proc gives


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bin", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--pictures", type=int, default=5000)
    parser.add_argument("--turn", type=int, default=10)
    parser.add_argument("--rows", type=int, default=10)
    return parser.parse_args()


def make_models(source, folder):
    for name in NAMES:
        shutil.copytree(source, folder / name)
        card = folder / name / "phasor.yaml"
        card.write_text(re.sub(r"^name: .*$", f"name: {name}", card.read_text(), flags=re.M))


class Fleet:
    def __init__(self, args, folder):
        self.phasor, self.folder = args.bin.resolve() / "phasor", folder
        self.socket = f"unix:{folder}/gateway.sock"
        environment = dict(os.environ, MAX_MODELS_IN_MEMORY="1")
        self.process = subprocess.Popen(
            [self.phasor, "up", "--dir", folder / "fleet", "--models", folder / "models", "--listen",
             self.socket, "--metrics", "127.0.0.1:0"], env=environment, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        wait_for("the fleet's start", lambda: self.call("stats").returncode == 0)
        self.worker = wait_for("the worker's start", self.find_worker)

    def call(self, *words):
        return subprocess.run([self.phasor, "--address", self.socket, "-q", *map(str, words)],
                              capture_output=True, text=True)

    def find_worker(self):
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                words = stat.read_text()
                parent = int(words.rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError):
                continue
            if "(phasor-worker)" in words and parent == self.process.pid:
                return int(stat.parent.name)
        return None

    def resident_mib(self):
        status = Path(f"/proc/{self.worker}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / MIB

    def draw(self, model, seeds):
        """Pictures with these seeds; how many came out."""
        out = self.folder / "pictures"
        shutil.rmtree(out, ignore_errors=True)
        words = ["generate", "--model", model, "--width", 64, "--height", 64, "--steps", 1, "--seed",
                 seeds[0], "--output-dir", out]
        prompts = [f"a red circle number {seed}" for seed in seeds]
        done = self.call(*words, *prompts)
        if done.returncode != 0:
            print(done.stderr, file=sys.stderr)
        return len(list(out.glob("*.png")))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def main():
    args = parse()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_models(args.model, folder / "models")
        fleet = Fleet(args, folder)
        try:
            return measure(args, fleet)
        finally:
            fleet.stop()


def measure(args, fleet):
    drawn, turns, next_row = 0, 0, args.pictures // args.rows
    begin = time.monotonic()
    print("| pictures | switches | resident, MiB | seconds |\n|---|---|---|---|", flush=True)
    while drawn < args.pictures:
        seeds = range(drawn, min(args.pictures, drawn + args.turn))
        came = fleet.draw(NAMES[turns % 2], seeds)
        if came != len(seeds):
            sys.exit(f"{came} of {len(seeds)} pictures came out after {drawn}")
        drawn, turns = drawn + came, turns + 1
        if drawn >= next_row:
            print(f"| {drawn} | {turns - 1} | {fleet.resident_mib():.0f} | "
                  f"{time.monotonic() - begin:.0f} |", flush=True)
            next_row += args.pictures // args.rows
    return 0


if __name__ == "__main__":
    sys.exit(main())
