"""Train the VAE's decoder on with the encoder fixed: crisper edges, calmer flat areas.

    train_vae_decoder.py --minutes 15 --threads 1

The latents stay what they are, so the UNet is not affected. A little noise on the latents teaches
the decoder to smooth over what a UNet leaves unfinished instead of painting it as mottle.
"""

import argparse
import math
import random
import time
from pathlib import Path

import torch
from diffusers import AutoencoderKL

from prepare_latents import encode, training_scenes
from scenes import draw
from train_dir import MODEL, train_dir

LATENT_NOISE = 0.12  # largest, in units of the latents' standard deviation
SAVE_SECONDS = 120


def differences(images):
    """Horizontal and vertical neighbours' differences: where they are wrong, edges are soft."""
    return images[..., 1:] - images[..., :-1], images[..., 1:, :] - images[..., :-1, :]


def loss_of(decoded, images):
    """Absolute error of the pixels and, twice, of their differences."""
    pixels = (decoded - images).abs().mean()
    edges = sum((a - b).abs().mean() for a, b in zip(differences(decoded), differences(images)))
    return pixels + 2 * edges


def batch_of(rng, vae, size):
    images = torch.stack([draw(scene, jitter=rng) for scene in training_scenes(rng, size)])
    latents = encode(vae, images)
    amount = torch.rand(size, 1, 1, 1) * LATENT_NOISE
    return images, (latents + amount * torch.randn_like(latents)) / vae.config.scaling_factor


def decoder_of(vae):
    """The trained part, under the names that the file has."""
    parts = ("decoder.", "post_quant_conv.")
    return {k: v.clone() for k, v in vae.state_dict().items() if k.startswith(parts)}


@torch.no_grad()
def measure(vae, scenes=40):
    """Mean absolute pixel error on a fixed set, without noise on the latents."""
    images, _ = batch_of(random.Random(77), vae, scenes)
    latents = encode(vae, images) / vae.config.scaling_factor
    return float((vae.decode(latents).sample.clamp(-1, 1) - images).abs().mean())


def save(path: Path, vae, optimizer, step):
    state = {"decoder": decoder_of(vae), "optimizer": optimizer.state_dict(), "step": step}
    torch.save(state, path.with_suffix(".tmp"))
    path.with_suffix(".tmp").rename(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--batch", type=int, default=6)
    parser.add_argument("--rate", type=float, default=5e-4, help="peak; falls to zero at the end")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--state", type=Path, default=None)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    path = args.state or train_dir() / "vae-state.pt"

    vae = AutoencoderKL.from_pretrained(MODEL, subfolder="vae", dtype=torch.float32)
    vae.requires_grad_(False)
    trained = [*vae.decoder.parameters(), *vae.post_quant_conv.parameters()]
    for parameter in trained:
        parameter.requires_grad_(True)
    optimizer = torch.optim.AdamW(trained, lr=args.rate, betas=(0.9, 0.99), fused=True)
    step = 0
    if path.exists():
        state = torch.load(path)
        vae.load_state_dict(state["decoder"], strict=False)
        optimizer.load_state_dict(state["optimizer"])
        step = state["step"]
    print(f"step {step} error {measure(vae):.4f}", flush=True)

    begun = saved = time.time()
    progress, mean_loss = 0.0, 0.0
    while progress < 1:
        torch.manual_seed(step)
        images, latents = batch_of(random.Random(1_000_000 + step), vae, args.batch)
        loss = loss_of(vae.decode(latents).sample, images)
        optimizer.zero_grad()
        loss.backward()
        progress = min(1.0, (time.time() - begun) / (60 * args.minutes))
        warm = min(1.0, (step + 1) / 50)
        for group in optimizer.param_groups:
            group["lr"] = args.rate * warm * 0.5 * (1 + math.cos(math.pi * progress))
        optimizer.step()
        step += 1
        mean_loss += (loss.item() - mean_loss) / 50
        if step % 50 == 0:
            print(f"step {step} progress {progress:.2f} loss {mean_loss:.4f}", flush=True)
        if time.time() - saved > SAVE_SECONDS or progress == 1:
            save(path, vae, optimizer, step)
            saved = time.time()
    print(f"step {step} error {measure(vae):.4f}", flush=True)


if __name__ == "__main__":
    main()
