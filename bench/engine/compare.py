"""Phasor's engine and diffusers side by side: seconds per UNet step and per VAE decode.

    compare.py --render build/bin/phasor-render --python ORACLE_PYTHON --case demo --case sd15

Both sides get the same model folder, prompt, seed, scheduler and thread count, in processes of
their own that take turns, A B A B ..., so that a machine whose speed drifts slows both alike. The
first step of every run is left out (it warms caches); the figure is the median over all other
steps, the ratio the median of the rounds' ratios. Before timing, the final latents of both sides
are compared: speed of a wrong result counts for nothing.
"""

import argparse
import json
from pathlib import Path
import statistics
import subprocess
import tempfile

PROMPT = "a red circle on a blue background"
# size in pixels, steps a run, rounds, scheduler
CASES = {
    "demo": {"width": 128, "height": 128, "steps": 20, "rounds": 5},
    "sd15": {"width": 512, "height": 512, "steps": 3, "rounds": 3},
}


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--render", type=Path, required=True, help="phasor-render")
    parser.add_argument("--before", type=Path, metavar="RENDER",
                        help="phasor-render of another version, a third side")
    parser.add_argument("--python", type=Path, required=True, help="an interpreter with diffusers")
    parser.add_argument("--reference", type=Path, required=True, help="tools/oracle/reference_run.py")
    parser.add_argument("--model", action="append", default=[], metavar="CASE=DIR", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, help="default: the case's own")
    parser.add_argument("--json", type=Path, help="all figures, for a machine")
    return parser.parse_args()


def run_side(command, folder):
    """Runs one side and returns its report's seconds."""
    report = folder / "report.json"
    subprocess.run([*command, "--report", str(report)], check=True, stdout=subprocess.DEVNULL)
    return json.loads(report.read_text())["seconds"]


def commands(args, case, model, folder):
    """The sides' command lines, which differ in nothing but the program."""
    options = ["--model", str(model), "--prompt", PROMPT, "--seed", "7", "--guidance", "4"]
    options += ["--scheduler", "dpmpp_2m", "--threads", str(args.threads)]
    for name in ("width", "height", "steps"):
        options += [f"--{name}", str(case[name])]
    sides = {"phasor": [str(args.render), "--progress", "none"],
             "diffusers": [str(args.python), str(args.reference)]}
    if args.before:
        sides["before"] = [str(args.before), "--progress", "none"]
    return {side: [*program, *options, "--output", str(folder / f"{side}.png")]
            for side, program in sides.items()}


def latents_apart(args, lines, folder):
    """Largest difference of the final latents, relative to the largest value."""
    for side in ("phasor", "diffusers"):
        line = lines[side]
        dump = ["--dump-latents", str(folder / f"{side}.safetensors")]
        subprocess.run([*line, *dump], check=True, stdout=subprocess.DEVNULL)
    script = (
        "import sys; from safetensors.torch import load_file as f;"
        "a, b = (f(p)['latents'] for p in sys.argv[1:]);"
        "print(float((a - b).abs().max() / b.abs().max()))"
    )
    paths = [str(folder / f"{side}.safetensors") for side in ("phasor", "diffusers")]
    out = subprocess.run([str(args.python), "-c", script, *paths], check=True, capture_output=True)
    return float(out.stdout)


def measure(args, case, model, folder):
    lines = commands(args, case, model, folder)
    figures = {"latents_apart": latents_apart(args, lines, folder), "sides": {}}
    rounds = [
        {side: run_side(line, folder) for side, line in lines.items()}
        for _ in range(args.rounds or case["rounds"])
    ]
    for side in lines:
        steps = [s for r in rounds for s in r[side]["steps"][1:]]
        decodes = [r[side]["decode"] for r in rounds]
        figures["sides"][side] = {"step": statistics.median(steps), "decode": statistics.median(decodes)}
    picks = {"step": lambda s: statistics.median(s["steps"][1:]), "decode": lambda s: s["decode"]}
    figures["ratios"] = {
        other: {part: statistics.median(pick(r["phasor"]) / pick(r[other]) for r in rounds)
                for part, pick in picks.items()}
        for other in lines if other != "phasor"}
    ours = [r["phasor"] for r in rounds]
    figures["loop_overhead"] = statistics.median(s["denoise"] / s["denoiser"] - 1 for s in ours)
    return figures


def show(name, case, figures):
    size = f"{case['width']}x{case['height']}"
    print(f"{name} ({size}, guidance, DPM++ 2M; latents {figures['latents_apart']:.1e} apart)")
    sides, ratios = figures["sides"], figures["ratios"]
    print(f"  {'':<12}{'Phasor':>12}" + "".join(f"{other:>12}{'ratio':>8}" for other in ratios))
    for part in ("step", "decode"):
        print(f"  {part:<12}{sides['phasor'][part]:>10.4f} s" + "".join(
            f"{sides[other][part]:>10.4f} s{of[part]:>8.2f}" for other, of in ratios.items()))
    print(f"  sampling loop beyond the networks: {100 * figures['loop_overhead']:.2f} %\n", flush=True)


def main():
    args = parse()
    results = {}
    for entry in args.model:
        name, _, model = entry.partition("=")
        if name not in CASES:
            raise SystemExit(f"--model: unknown case {name!r}; known: {', '.join(CASES)}")
        with tempfile.TemporaryDirectory() as folder:
            results[name] = measure(args, CASES[name], Path(model), Path(folder))
        show(name, CASES[name], results[name])
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
