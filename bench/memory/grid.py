#!/usr/bin/env python3
"""Whether runs take what was predicted: models x pictures x strategies x budgets on the simulated device.

    grid.py --render build/bin/phasor-render --model demo=models/phasor-demo [--sizes 256,512]

For each strategy the budget is what its plan asks for (its prediction and 2 %), and then nine tenths of the
prediction (of BLOCK_STREAM's, which may be a fifth too high, three quarters). The first has to be drawn under that strategy with nothing given up; in the second it must really not fit:
the run has to go down the ladder. `AUTO` is drawn in as little as any plan with cuts accepts, and must be refused (exit
code 4) in half of that. Prints a table; exit code 1 if any cell does otherwise.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

STRATEGIES = ("FP16_FULL", "CPU_OFFLOAD", "BLOCK_STREAM", "SEQUENTIAL_OFFLOAD", "FP8_OPTIMIZED",
              "FP8_OPTIMIZED+CPU_OFFLOAD", "NF4_QUANTIZED", "NF4_QUANTIZED+CPU_OFFLOAD")
MIB = 1 << 20
DOES_NOT_FIT = 4


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--render", required=True)
    parser.add_argument("--model", action="append", required=True, metavar="NAME=DIR")
    parser.add_argument("--sizes", default="256,512,768")
    parser.add_argument("--steps", type=int, default=2,
                        help="from the second on the order of layers is known")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--dtype", default="fp32")
    parser.add_argument("--markdown", help="file for the table")
    return parser.parse_args()


def kib(budget):
    """As the programs read sizes, rounded up."""
    return f"{-(-budget // 1024)}KiB"


class Case:
    """One picture of one model."""

    def __init__(self, args, name, directory, size, folder):
        self.args, self.name, self.size, self.folder = args, name, size, folder
        self.command = [args.render, "--model", directory, "--prompt", "a red circle",
                        "--steps", str(args.steps), "--width", str(size), "--height", str(size),
                        "--scheduler", "dpmpp_2m", "--threads", str(args.threads),
                        "--dtype", args.dtype, "--device", "sim", "--progress", "none"]

    def draw(self, strategy, budget):
        """Exit code and report."""
        report = self.folder / "report.json"
        report.unlink(missing_ok=True)
        command = self.command + ["--strategy", strategy, "--report", str(report),
                                  "--output", str(self.folder / "out.png"), "--vram", kib(budget)]
        done = subprocess.run(command, capture_output=True, text=True)
        text = report.read_text() if report.exists() else "{}"
        return done.returncode, json.loads(text), done.stderr

    def predicted(self, strategy):
        """Of a device without a bound."""
        command = self.command + ["--strategy", strategy, "--plan", "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)["peak_bytes"]

    def fits(self, budget):
        """Whether AUTO finds a plan that fits."""
        command = self.command + ["--strategy", "AUTO", "--plan", "--vram", kib(budget)]
        return subprocess.run(command, capture_output=True).returncode == 0

    def smallest(self, high):
        """Of the budgets that AUTO finds a plan for, to 1 %."""
        low = 0
        while high - low > high // 100:
            middle = (low + high) // 2
            low, high = (low, middle) if self.fits(max(middle, MIB)) else (middle, high)
        return max(high, MIB)


def peaks(report):
    phases = report.get("memory", {}).get("phases", {}).values()
    return (max((p["peak_bytes"] for p in phases), default=0),
            max((p["predicted_peak_bytes"] for p in phases), default=0))


def actions(report):
    return [one["action"] for one in report.get("memory", {}).get("degradations", [])]


def planned(report):
    found = report.get("memory", {}).get("degradations", [])
    return all(one["reason"].startswith("planned: ") for one in found)


def row(case, strategy, budget, code, report, right):
    peak, predicted = peaks(report)
    seconds = report.get("seconds", {}).get("total", 0)
    ratio = f"{predicted / peak:.3f}" if peak and code == 0 else ""
    result = "drawn" if code == 0 else "refused" if code == DOES_NOT_FIT else f"exit code {code}"
    taken = ", ".join(actions(report))
    line = (f"| {case.name} | {case.size} | {strategy} | {budget / MIB:.1f} | {result}"
            f"{', ' + taken if taken and code == 0 else ''} | {peak / MIB:.1f} | {ratio} | {seconds:.1f} |")
    print(line + ("" if right else "  <-- not as promised"), flush=True)
    return line, right


def measure(case):
    """The rows of one picture."""
    lines = []
    least = 0
    for strategy in STRATEGIES:
        predicted = case.predicted(strategy)
        budget = predicted + predicted // 50 + 1
        code, report, _ = case.draw(strategy, budget)
        lines.append(row(case, strategy, budget, code, report, code == 0 and not actions(report)))
        budget = predicted * 3 // 4 if strategy == "BLOCK_STREAM" else predicted * 9 // 10
        code, report, _ = case.draw(strategy, budget)
        given_up = code == DOES_NOT_FIT or bool(actions(report)) or report["memory"]["strategy"] != strategy
        lines.append(row(case, strategy, budget, code, report, given_up))
        least = min(least or predicted, predicted)
    budget = case.smallest(least)
    code, report, _ = case.draw("AUTO", budget)
    lines.append(row(case, "AUTO", budget, code, report, code == 0 and planned(report)))
    code, report, error = case.draw("AUTO", max(budget // 2, MIB))
    refused = code == DOES_NOT_FIT and re.search("out of memory|does not fit|memory", error)
    lines.append(row(case, "AUTO", max(budget // 2, MIB), code, report, bool(refused)))
    return lines


def main():
    args = parse()
    head = ("| model | side | strategy | budget, MiB | result | peak, MiB | predicted | s |\n"
            "|---|---|---|---|---|---|---|---|")
    print(head)
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for model in args.model:
            name, directory = model.split("=", 1)
            for size in map(int, args.sizes.split(",")):
                lines += measure(Case(args, name, directory, size, Path(folder)))
    if args.markdown:
        Path(args.markdown).write_text("\n".join([head] + [line for line, _ in lines]) + "\n")
    wrong = sum(not right for _, right in lines)
    print(f"{len(lines)} cells, {wrong} not as promised")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
