"""Golden tensors of AutoencoderKL's tiled decoding, of a model that vae.py has written."""

import torch
from diffusers import AutoencoderKL

from golden import GOLDEN, generator, write_case

TILES = (64, 96)  # pixels a side
LATENTS = (13, 17)  # leave slivers at the edges for each


@torch.no_grad()
def export():
    model = AutoencoderKL.from_pretrained(GOLDEN / "vae" / "one_layer" / "vae")
    latent = torch.randn(1, 4, *LATENTS, generator=generator(300))
    tensors = {"latent": latent}
    model.enable_tiling()
    for tile in TILES:
        model.tile_sample_min_size = tile
        model.tile_latent_min_size = tile // 8
        tensors[f"tiled_{tile}"] = model.decode(latent, return_dict=False)[0]
    write_case("vae_tiled/one_layer", tensors, model="vae/one_layer/vae", tiles=list(TILES))
