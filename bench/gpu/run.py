"""Everything that needs a card, in one go: the tests, the golden suites in each type, resuming, the
memory grid under real caps, speed beside diffusers, and a fleet. Leaves report.json and report.md.

    run.py --bin build-cuda/bin --tests build-cuda/tests --source . --out gpu-report
    run.py --list       the stages, one a line

A stage that can't run is in the report as "not run" with the reason; one that fails does not keep
the others from running. Python's standard library only.
"""

import argparse
import hashlib
import json
import os
from pathlib import Path
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

PROMPT = "a red circle on a blue background"
DTYPES = ("fp32", "fp16", "bf16")
GOLDEN = ("engine_models_golden_test", "engine_run_golden_test")
CARD_TESTS = ("engine_cuda_plugin_test",)
CAPS_GIB = (24, 8, 4, 2)
ROUNDS = 5
WARM_STEPS = 3
MODES = {"full": "FP16_FULL", "model_offload": "CPU_OFFLOAD", "sequential": "SEQUENTIAL_OFFLOAD"}


class NotRun(Exception):
    """Why a stage can't be run here."""


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bin", type=Path, required=True, help="folder of programs and plug-in")
    parser.add_argument("--tests", type=Path, required=True, help="folder of test programs")
    parser.add_argument("--source", type=Path, required=True, help="the source tree")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--model", type=Path, help="SD 1.5's size; default: what --python makes")
    parser.add_argument("--python", type=Path, help="an interpreter with diffusers")
    parser.add_argument("--pictures", type=int, default=500, help="of the fleet, beside a neighbour")
    parser.add_argument("--stages", default="", help="some of them only, separated by commas")
    return parser.parse_args()


class Bench:
    def __init__(self, args):
        self.args = args
        self.demo = args.source / "models/phasor-demo"
        self.folder = Path(tempfile.mkdtemp(prefix="phasor-gpu-"))

    def render(self, *flags, model=None, check=True, **kept):
        """A run of phasor-render; its report, with the exit code under "code"."""
        report = self.folder / "render.json"
        report.unlink(missing_ok=True)
        picture = kept.get("picture", self.folder / "picture.png")
        command = [self.args.bin / "phasor-render", "--model", model or self.demo, "--prompt",
                   PROMPT, "--seed", "7", "--device", self.args.device, "--progress", "none",
                   "--report", report, "--output", picture, *flags]
        ended = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                               timeout=3600, check=False)
        found = json.loads(report.read_text()) if report.exists() else {}
        found["code"], found["stderr"] = ended.returncode, ended.stderr[-2000:]
        if check and ended.returncode != 0:
            raise RuntimeError(f"phasor-render ended with {ended.returncode}: {ended.stderr[-500:]}")
        return found

    def test(self, name, **environment):
        program = self.args.tests / name
        if not program.exists():
            raise NotRun(f"{program} was not built")
        log = self.args.out / "-".join([name, *environment.values()]).replace(":", "")
        xml = log.with_suffix(".xml")
        with open(log.with_suffix(".log"), "w") as out:
            ended = subprocess.run(
                [str(program), f"--gtest_output=xml:{xml}"], stdout=out, stderr=out, check=False,
                env={**os.environ, "PHASOR_SOURCE_DIR": str(self.args.source),
                     "PHASOR_BIN_DIR": str(self.args.bin), **environment})
        text = log.with_suffix(".log").read_text(errors="replace")
        measured = [line for line in text.splitlines() if "[ measured ]" in line or "off by" in line]
        return {"code": ended.returncode, "measured": measured}

    # The stages.

    def facts(self):
        smi = subprocess.run([shutil.which("nvidia-smi") or "true", "--query-gpu=name,driver_version,memory.total,"
                              "compute_cap,ecc.mode.current,mig.mode.current", "--format=csv"],
                             capture_output=True, text=True, check=False)
        plain = self.render("--width", "64", "--height", "64", "--steps", "2")
        return {"nvidia_smi": smi.stdout, "versions": plain.get("versions"),
                "memory": plain.get("memory")}

    def card_tests(self):
        results = {name: self.test(name, PHASOR_TEST_DEVICE=self.args.device)
                   for name in CARD_TESTS if (self.args.tests / name).exists()}
        return failing(results, {name: r["code"] != 0 for name, r in results.items()})

    def golden(self):
        results = {}
        for name in GOLDEN:
            for dtype in DTYPES:
                results[f"{name} {dtype}"] = self.test(
                    name, PHASOR_TEST_DEVICE=self.args.device, PHASOR_TEST_DTYPE=dtype)
        return failing(results, {name: r["code"] != 0 for name, r in results.items()})

    def resume(self):
        """Stopped with a checkpoint and gone on with by another process: the same bytes, in each type."""
        results = {}
        for dtype in DTYPES:
            try:
                results[dtype] = self.resume_in(dtype)
            except RuntimeError as error:
                results[dtype] = {"ran": False, "why": str(error)}
        return failing(results, {d: not all(r.values()) for d, r in results.items()})

    def resume_in(self, dtype):
        flags = ["--dtype", dtype, "--steps", "20"]
        whole, again, resumed = (self.folder / f"{dtype}-{n}.png" for n in range(3))
        self.render(*flags, picture=whole)
        self.render(*flags, picture=again)
        checkpoints = self.folder / f"checkpoints-{dtype}"
        self.render(*flags, "--checkpoint-dir", checkpoints, "--stop-after-step", "9", check=False)
        found = sorted(checkpoints.glob("*")) if checkpoints.exists() else []
        if not found:
            raise RuntimeError("no checkpoint was written")
        self.render(*flags, "--resume", found[-1], picture=resumed)
        return {"repeated": digest(whole) == digest(again),
                "resumed": digest(whole) == digest(resumed)}

    def strategies(self):
        """No strategy changes a byte of the demo model's picture."""
        pictures = {}
        for name in ("FP16_FULL", "CPU_OFFLOAD", "SEQUENTIAL_OFFLOAD"):
            picture = self.folder / f"{name}.png"
            self.render("--strategy", name, "--steps", "8", picture=picture)
            pictures[name] = digest(picture)
        return failing(pictures, {"equal": len(set(pictures.values())) > 1})

    def grid(self):
        """Under real caps: what the plan accepts is drawn, and its peak is near the prediction."""
        model = self.true_size()
        cells = []
        for cap in CAPS_GIB:
            for size in (256, 512, 768):
                for strategy in ("AUTO", *MODES.values()):
                    flags = ["--vram", f"{cap}GiB", "--strategy", strategy, "--width", size,
                             "--height", size, "--steps", "2", "--dtype", "fp16"]
                    found = self.render(*flags, model=model, check=False)
                    memory = found.get("memory", {})
                    cells.append({"cap_gib": cap, "size": size, "strategy": strategy,
                                  "code": found["code"], "memory": memory,
                                  "stderr": found["stderr"]})
        lost = [c for c in cells if c["code"] not in (0, 4)]
        return failing({"cells": cells}, {"a cell that neither fits nor says so": bool(lost)})

    def speed(self):
        model = self.true_size()
        results = {}
        for dtype in ("fp16", "bf16"):
            for mode, strategy in MODES.items():
                ours = [self.one_picture(model, dtype, strategy) for _ in range(ROUNDS + 1)][1:]
                key = f"{dtype} {mode}"
                results[key] = {"phasor": {name: statistics.median(r[name] for r in ours)
                                           for name in ours[0]}}
                if self.args.python is None:
                    results[key]["diffusers"] = "not run: no --python with diffusers"
                    continue
                theirs = subprocess.run(
                    [str(self.args.python), str(self.args.source / "bench/gpu/diffusers_side.py"),
                     "--model", str(model), "--dtype", dtype, "--mode", mode, "--rounds",
                     str(ROUNDS)], capture_output=True, text=True, check=False)
                line = theirs.stdout.strip().splitlines()[-1:] or ["{}"]
                results[key]["diffusers"] = (json.loads(line[0]) if theirs.returncode == 0
                                             else theirs.stderr[-500:])
        return results

    def one_picture(self, model, dtype, strategy):
        found = self.render("--dtype", dtype, "--strategy", strategy, "--steps", "50", "--width",
                            "512", "--height", "512", "--guidance", "7.5", model=model)
        seconds = found["seconds"]
        steps = seconds["steps"]
        phases = found["memory"]["phases"].values()
        return {"it_per_second": (len(steps) - WARM_STEPS) / sum(steps[WARM_STEPS:]),
                "picture_seconds": seconds["denoise"] + seconds["decode"],
                "peak_bytes": max(phase["peak_bytes"] for phase in phases)}

    def fleet(self):
        """A fleet on the card beside a neighbour that takes and gives back memory."""
        home = self.folder / "fleet"
        address = f"unix:{self.folder}/gateway.sock"
        up = subprocess.Popen(
            [str(self.args.bin / "phasor"), "up", "--dir", str(home), "--models", str(self.demo),
             "--workers", "1", "--device", self.args.device, "--listen", address], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        neighbour = subprocess.Popen([sys.executable, __file__, "--neighbour",
                                      str(self.args.bin / "phasor-render"), str(self.demo),
                                      self.args.device])
        try:
            self.wait_for_fleet(address)
            done, failed = 0, []
            for seed in range(self.args.pictures):
                ended = subprocess.run(
                    [str(self.args.bin / "phasor"), "--address", address, "generate", PROMPT,
                     "--seed", str(seed), "--steps", "4", "--output",
                     str(self.folder / "fleet.png")], capture_output=True, text=True, check=False)
                done += ended.returncode == 0
                if ended.returncode != 0:
                    failed.append(ended.stderr[-300:])
            result = {"pictures": self.args.pictures, "done": done, "failed": failed[:5]}
        finally:
            neighbour.terminate()
            neighbour.wait()
            up.send_signal(signal.SIGTERM)
            up.wait(timeout=60)
        return failing(result, {"pictures that did not come out": done < self.args.pictures})

    def faults(self):
        """Rows 1 and 25 to 27 of docs/reliability.md on the card: kill -9, a sticky error, a kernel that
        hangs, a card lost early and late (tests/fault/card.py)."""
        shim = self.args.tests / "libphasor_card_shim.so"
        if not shim.exists():
            raise NotRun(f"{shim} was not built")
        folder = self.args.source / "tests/fault"
        environment = {**os.environ, "PHASOR_SOURCE_DIR": str(self.args.source),
                       "PHASOR_BIN_DIR": str(self.args.bin), "PHASOR_CARD_SHIM": str(shim),
                       "PHASOR_FAULT_CARD": self.args.device, "PYTHONDONTWRITEBYTECODE": "1",
                       "PYTHONPATH": str(self.args.source / "tests/lib")}
        names = re.findall(r"^def (fault_\w+)", (folder / "card.py").read_text(), re.MULTILINE)
        results = {}
        for name in names:
            ended = subprocess.run([sys.executable, str(folder / "run_fault.py"), name],
                                   env=environment, capture_output=True, text=True, timeout=600,
                                   check=False)
            results[name] = {"code": ended.returncode, "said": (ended.stdout + ended.stderr)[-1500:]}
        return failing(results, {name: r["code"] != 0 for name, r in results.items()})

    def wait_for_fleet(self, address):
        for _ in range(100):
            asked = subprocess.run([str(self.args.bin / "phasor"), "--address", address, "models"],
                                   capture_output=True, check=False)
            if asked.returncode == 0:
                return
            time.sleep(0.3)
        raise RuntimeError("the fleet did not come up in half a minute")

    def true_size(self):
        if self.args.model is None:
            raise NotRun("no model of true size: --model, or ./dev oracle makes one")
        return self.args.model


def digest(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def failing(result, wrong):
    """Marks a result as failed where any of the named things is wrong."""
    bad = [name for name, is_wrong in wrong.items() if is_wrong]
    if bad:
        raise StageFailed(result, ", ".join(bad))
    return result


class StageFailed(Exception):
    def __init__(self, result, what):
        super().__init__(what)
        self.result = result


def take_memory(render, model, device):
    """The neighbour: pictures of changing size in processes of their own, until it is ended."""
    size = 256
    while True:
        subprocess.run([render, "--model", model, "--prompt", "x", "--device", device, "--steps",
                        "2", "--width", str(size), "--height", str(size), "--progress", "none",
                        "--output", os.devnull], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=False)
        size = size % 1024 + 256


STAGES = ("facts", "card_tests", "golden", "resume", "strategies", "faults", "grid", "speed",
          "fleet")


def run_stage(bench, name):
    begin = time.monotonic()
    try:
        record = {"status": "passed", "result": getattr(bench, name)()}
    except NotRun as why:
        record = {"status": "not run", "why": str(why)}
    except StageFailed as failed:
        record = {"status": "failed", "why": str(failed), "result": failed.result}
    except Exception as error:  # a stage must not keep the others from running
        record = {"status": "failed", "why": f"{type(error).__name__}: {error}"}
    record["seconds"] = round(time.monotonic() - begin, 1)
    print(f"{name}: {record['status']} {record.get('why', '')} ({record['seconds']} s)", flush=True)
    return record


def markdown(report):
    lines = ["# On a card", "", "| Stage | Status | Seconds | |", "|---|---|---|---|"]
    for name, record in report["stages"].items():
        why = record.get("why", "").replace("\n", " ").replace("|", "/")
        lines.append(f"| {name} | {record['status']} | {record['seconds']} | {why} |")
    speed = report["stages"].get("speed", {}).get("result", {})
    if speed:
        lines += ["", "SD 1.5's size, 512x512, 50 steps, medians:", "",
                  "| Case | | it/s | s a picture | peak, GiB |", "|---|---|---|---|---|"]
    for case, sides in speed.items():
        for side, found in sides.items():
            if isinstance(found, str):
                lines.append(f"| {case} | {side} | {found} | | |")
                continue
            lines.append(f"| {case} | {side} | {found['it_per_second']:.2f} | "
                         f"{found['picture_seconds']:.3f} | {found['peak_bytes'] / 2**30:.2f} |")
    return "\n".join(lines) + "\n"


def main():
    if sys.argv[1:2] == ["--neighbour"]:
        take_memory(*sys.argv[2:5])
    if sys.argv[1:2] == ["--list"]:
        print("\n".join(STAGES))
        return 0
    args = parse()
    args.out.mkdir(parents=True, exist_ok=True)
    args.out, args.source = args.out.resolve(), args.source.resolve()
    args.bin, args.tests = args.bin.resolve(), args.tests.resolve()
    bench = Bench(args)
    wanted = args.stages.split(",") if args.stages else STAGES
    report = {"device": args.device, "stages": {}}
    for name in STAGES:
        if name in wanted:
            report["stages"][name] = run_stage(bench, name)
        else:
            report["stages"][name] = {"status": "not run", "why": "not asked for", "seconds": 0}
        (args.out / "report.json").write_text(json.dumps(report, indent=2) + "\n")
        (args.out / "report.md").write_text(markdown(report))
    print(args.out / "report.md")
    return any(r["status"] == "failed" for r in report["stages"].values())


if __name__ == "__main__":
    sys.exit(main())
