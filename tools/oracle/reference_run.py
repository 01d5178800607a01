"""diffusers with phasor-render's options: the same request to both, to compare pixels and seconds.

    reference_run.py --model models/phasor-demo --prompt "a red circle on a blue background" \\
        --seed 7 --scheduler dpmpp_2m --output out.png --dump-latents latents.safetensors
"""

import argparse
import json
from pathlib import Path

import diffusers
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from reference import SCHEDULERS, Request, load, run


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--prompt", required=True)
    parser.add_argument("--negative", default="")
    parser.add_argument("--seed", type=int, default=0, help="image i has a generator of seed + i")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--guidance", type=float, default=4.0)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--height", type=int, default=128)
    parser.add_argument("--images", type=int, default=1)
    parser.add_argument("--scheduler", choices=SCHEDULERS, help="default: the model's own")
    parser.add_argument("--clip-skip", type=int, default=None)
    parser.add_argument("--eta", type=float, default=0.0)
    parser.add_argument("--guidance-start", type=float, default=0.0)
    parser.add_argument("--guidance-end", type=float, default=1.0)
    parser.add_argument("--timestep-spacing", default="")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--latents", type=Path, help='initial noise, tensor "latents"')
    parser.add_argument("--output", type=Path, help="PNG; several images: NAME-0.png, ...")
    parser.add_argument("--dump-latents", type=Path)
    parser.add_argument("--dump-embeddings", type=Path)
    parser.add_argument("--report", type=Path, help="JSON with the seconds of every phase and step")
    return parser.parse_args()


def write_pictures(result, output):
    pixels = result.pixels().numpy()
    for i, picture in enumerate(pixels):
        name = output.stem if len(pixels) == 1 else f"{output.stem}-{i}"
        Image.fromarray(picture).save(output.with_name(name + output.suffix))


def write_embeddings(result, path):
    tensors = {"prompt_embeds": result.prompt_embeds}
    if result.negative_prompt_embeds is not None:
        tensors["negative_prompt_embeds"] = result.negative_prompt_embeds
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)


def main():
    args = parse()
    if args.threads:
        torch.set_num_threads(args.threads)
    request = Request(**{k: getattr(args, k) for k in Request.__dataclass_fields__})
    noise = load_file(args.latents)["latents"] if args.latents else None
    result = run(load(args.model, args.scheduler), request, noise)
    if args.output:
        write_pictures(result, args.output)
    if args.dump_latents:
        save_file({"latents": result.latents[-1].contiguous()}, args.dump_latents)
    if args.dump_embeddings:
        write_embeddings(result, args.dump_embeddings)
    if args.report:
        versions = {"torch": torch.__version__, "diffusers": diffusers.__version__}
        report = {
            "seconds": result.seconds,
            "threads": torch.get_num_threads(),
            "versions": versions,
            "scheduler": result.scheduler_config,
        }
        args.report.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
