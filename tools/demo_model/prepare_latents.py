"""Draw scenes and encode them: the training set of the UNet, in shards of a few megabytes.

    prepare_latents.py --scenes 28000 --seed 1

Shards are independent (their seed is in their name), so several processes may work at once with
--part, and a set can be enlarged later; a shard that exists is not made again.
"""

import argparse
import random

import torch
from diffusers import AutoencoderKL
from transformers import CLIPTokenizer

from scenes import describe, draw, is_held_out
from train_dir import MODEL, train_dir

SHARD = 1000
# More scenes of two different things than the grammar's own share: second colours and places are
# what a small model learns last.
TRAINING_KINDS = {"one": 0.5, "several": 0.13, "two": 0.37}


def training_scenes(rng, count):
    """`count` scenes that are not kept for the check."""
    scenes = []
    while len(scenes) < count:
        scene = describe(rng, TRAINING_KINDS)
        if not is_held_out(scene):
            scenes.append(scene)
    return scenes


@torch.no_grad()
def encode(vae, images):
    """Scaled latents of the posterior's mean: its noise would only be learnt as mottle."""
    return vae.encode(images).latent_dist.mean * vae.config.scaling_factor


def write_shard(path, vae, tokenizer, seed, batch=50):
    rng = random.Random(seed)
    scenes = training_scenes(rng, SHARD)
    latents = []
    for start in range(0, SHARD, batch):
        images = torch.stack([draw(s, jitter=rng) for s in scenes[start : start + batch]])
        latents.append(encode(vae, images))
    ids = tokenizer(
        [s.caption for s in scenes], padding="max_length", max_length=77, return_tensors="pt"
    ).input_ids
    temporary = path.with_suffix(".tmp")
    torch.save({"latents": torch.cat(latents), "ids": ids.to(torch.int16)}, temporary)
    temporary.rename(path)  # a reader never sees half a shard


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--scenes", type=int, default=28000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--part", default="0/1", help="i/n: make every n-th shard from the i-th")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    part, parts = map(int, args.part.split("/"))
    vae = AutoencoderKL.from_pretrained(MODEL, subfolder="vae", dtype=torch.float32)
    tokenizer = CLIPTokenizer.from_pretrained(MODEL / "tokenizer")
    folder = train_dir() / "latents"
    folder.mkdir(exist_ok=True)
    for number in range(part, -(-args.scenes // SHARD), parts):
        path = folder / f"{args.seed}-{number:04d}.pt"
        if not path.exists():
            write_shard(path, vae, tokenizer, seed=args.seed * 1_000_003 + number)
            print(path.name, flush=True)


if __name__ == "__main__":
    main()
