"""diffusers' side of the comparison on a card: seconds a picture, steps a second, peak memory, as a
line of JSON. Medians after one picture that warms up."""

import argparse
import json
import statistics
import time

import torch
from diffusers import DPMSolverMultistepScheduler, StableDiffusionPipeline

PROMPT = "a red circle on a blue background"
DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--dtype", choices=DTYPES, default="fp16")
    parser.add_argument("--mode", choices=("full", "model_offload", "sequential"), default="full")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--size", type=int, default=512)
    return parser.parse_args()


def wait(device):
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def main():
    args = parse()
    pipe = StableDiffusionPipeline.from_pretrained(args.model, torch_dtype=DTYPES[args.dtype],
                                                   safety_checker=None)
    pipe.scheduler = DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)
    pipe.set_progress_bar_config(disable=True)
    if args.mode == "full":
        pipe.to(args.device)
    elif args.mode == "model_offload":
        pipe.enable_model_cpu_offload()
    else:
        pipe.enable_sequential_cpu_offload()
    pictures, rates = [], []
    for _ in range(args.rounds + 1):
        moments = []

        def note(pipeline, step, timestep, values):
            wait(args.device)
            moments.append(time.monotonic())
            return values

        begin = time.monotonic()
        pipe(PROMPT, width=args.size, height=args.size, num_inference_steps=args.steps,
             guidance_scale=7.5, generator=torch.Generator("cpu").manual_seed(7),
             callback_on_step_end=note)
        wait(args.device)
        pictures.append(time.monotonic() - begin)
        rates.append((len(moments) - 3) / (moments[-1] - moments[2]))
    peak = torch.cuda.max_memory_allocated() if args.device.startswith("cuda") else 0
    print(json.dumps({"it_per_second": statistics.median(rates[1:]),
                      "picture_seconds": statistics.median(pictures[1:]), "peak_bytes": peak}))


if __name__ == "__main__":
    main()
