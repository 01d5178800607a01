"""The demo model's acceptance check, on scenes that training never sees.

    check.py                        200 prompts, figures as text and JSON, a sheet of 16
    check.py --drawn                the same figures for drawn pictures: what a perfect model gets

Good means: background and thing colours right in at least 90 %, median overlap (IoU) of a single
thing at least 0.6. The exit status says whether that holds.
"""

import argparse
import json
import multiprocessing
import random
import statistics
import sys
from pathlib import Path

import torch
from diffusers import DPMSolverMultistepScheduler, StableDiffusionPipeline
from PIL import Image

from look import background_colour, overlap, thing_colours
from scenes import describe, draw, is_held_out
from train_dir import MODEL, train_dir

STEPS, GUIDANCE = 20, 4.0


def held_out_scenes(count, seed):
    rng, scenes = random.Random(seed), []
    while len(scenes) < count:
        scene = describe(rng)
        if is_held_out(scene):
            scenes.append(scene)
    return scenes


def load_pipeline(model):
    pipeline = StableDiffusionPipeline.from_pretrained(
        model, dtype=torch.float32, safety_checker=None
    )
    config = pipeline.scheduler.config
    pipeline.scheduler = DPMSolverMultistepScheduler.from_config(config, use_karras_sigmas=False)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def generate(pipeline, scenes, seed, batch=10):
    """Pictures of the scenes, [3, 128, 128] in 0..255 each; picture i has the seed `seed + i`."""
    pictures = []
    for start in range(0, len(scenes), batch):
        part = scenes[start : start + batch]
        images = pipeline(
            [scene.caption for scene in part],
            num_inference_steps=STEPS,
            guidance_scale=GUIDANCE,
            width=128,
            height=128,
            generator=[torch.Generator().manual_seed(seed + start + i) for i in range(len(part))],
            output_type="pt",
        ).images
        pictures += list((images * 255).round())
    return pictures


def _generate_part(model, scenes, seed):
    torch.set_num_threads(1)
    return generate(load_pipeline(model), scenes, seed)


def generate_with(workers, model, scenes, seed):
    """The same pictures from several processes of one thread each; for a machine that is busy."""
    if workers == 1:
        return generate(load_pipeline(model), scenes, seed)
    size = -(-len(scenes) // workers)
    parts = [(model, scenes[i : i + size], seed + i) for i in range(0, len(scenes), size)]
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        return [picture for part in pool.starmap(_generate_part, parts) for picture in part]


def measure(scenes, pictures):
    """The figures, and the prompts that came out wrong."""
    backgrounds, things, whole, overlaps, wrong = [], [], [], [], []
    for scene, picture in zip(scenes, pictures):
        seen = [background_colour(scene, picture), *thing_colours(scene, picture)]
        wanted = [scene.background, *(thing.colour for thing in scene.things)]
        right = [a == b for a, b in zip(seen, wanted)]
        backgrounds.append(right[0])
        things += right[1:]
        whole.append(all(right))
        if not all(right):
            wrong.append({"prompt": scene.caption, "seen": seen})
        if len(scene.things) == 1:
            overlaps.append(overlap(scene, picture))
    figures = {
        "prompts": len(scenes),
        "background_right": statistics.mean(backgrounds),
        "things_right": statistics.mean(things),
        "whole_prompt_right": statistics.mean(whole),
        "single_things": len(overlaps),
        "overlap_median": statistics.median(overlaps) if overlaps else None,
        "overlap_lowest_tenth": sorted(overlaps)[len(overlaps) // 10] if overlaps else None,
    }
    return figures, wrong


def sheet(pictures, path):
    """Sixteen pictures, four by four."""
    rows = [torch.cat(pictures[i : i + 4], dim=2) for i in range(0, 16, 4)]
    pixels = torch.cat(rows, dim=1).permute(1, 2, 0).to(torch.uint8).numpy()
    Image.fromarray(pixels).save(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--prompts", type=int, default=200)
    parser.add_argument("--seed", type=int, default=2024)
    parser.add_argument("--drawn", action="store_true", help="measure drawn pictures instead")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--workers", type=int, default=1, help="processes of one thread each")
    parser.add_argument("--out", type=Path, default=None, help="folder of check.json and sheet.png")
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    out = args.out or train_dir() / "check"
    out.mkdir(parents=True, exist_ok=True)
    scenes = held_out_scenes(args.prompts, args.seed)
    if args.drawn:
        jitter = random.Random(args.seed)
        pictures = [((draw(s, jitter=jitter) + 1) * 127.5).round() for s in scenes]
    else:
        pictures = generate_with(args.workers, args.model, scenes, args.seed)
    figures, wrong = measure(scenes, pictures)
    good = (
        min(figures["background_right"], figures["things_right"]) >= 0.9
        and (figures["overlap_median"] or 0) >= 0.6
    )
    report = {"good": good, "steps": STEPS, "guidance": GUIDANCE, "scheduler": "dpmpp_2m"}
    report |= {"seed": args.seed, **figures, "wrong": wrong}
    (out / "check.json").write_text(json.dumps(report, indent=1) + "\n")
    if len(pictures) >= 16:
        sheet(pictures[:16], out / "sheet.png")
    for name, value in figures.items():
        print(f"{name:22} {value:.3f}" if isinstance(value, float) else f"{name:22} {value}")
    print("good" if good else "not good yet", f"- sheet and details in {out}")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
