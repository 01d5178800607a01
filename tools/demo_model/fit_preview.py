"""Fit the cheap preview: RGB in [-1, 1] as a linear function of the scaled latents.

fit_preview.py        prints the `preview` section for models/phasor-demo/phasor.yaml
"""

import argparse
import random

import torch
from diffusers import AutoencoderKL

from prepare_latents import encode
from scenes import describe, draw
from train_dir import MODEL


@torch.no_grad()
def fit(vae, scenes, jitter):
    """Least squares of 8x8 block means against the latents; returns factors [4, 3] and bias [3]."""
    images = torch.stack([draw(scene, jitter=jitter) for scene in scenes])
    latents = torch.cat([encode(vae, part) for part in images.split(25)])
    small = torch.nn.functional.avg_pool2d(images, 8)
    inputs = latents.movedim(1, -1).reshape(-1, latents.shape[1])
    inputs = torch.cat([inputs, torch.ones(len(inputs), 1)], dim=1)
    targets = small.movedim(1, -1).reshape(-1, 3)
    solution = torch.linalg.lstsq(inputs.double(), targets.double()).solution
    error = (inputs.double() @ solution - targets).abs().mean()
    return solution[:-1], solution[-1], float(error)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--scenes", type=int, default=300)
    parser.add_argument("--seed", type=int, default=9)
    args = parser.parse_args()
    vae = AutoencoderKL.from_pretrained(MODEL, subfolder="vae", dtype=torch.float32)
    rng = random.Random(args.seed)
    factors, bias, error = fit(vae, [describe(rng) for _ in range(args.scenes)], rng)
    print(f"# mean absolute error {error:.3f} of a range of 2")
    print("preview:\n  latent_rgb:")
    for row in factors.tolist():
        print("    - [" + ", ".join(f"{value:.4f}" for value in row) + "]")
    print("  bias: [" + ", ".join(f"{value:.4f}" for value in bias.tolist()) + "]")


if __name__ == "__main__":
    main()
