"""Golden tensors of AutoencoderKL: moments, a seeded sample, and decoded pictures."""

import torch
from diffusers import AutoencoderKL

from golden import GOLDEN, generator, randomise, write_case

CHANNELS = (8, 12, 16, 20)
# name: (layers per block, [(width, height, batch)])
CASES = {"one_layer": (1, [(136, 104, 1), (64, 48, 2)]), "two_layers": (2, [(64, 48, 2)])}
SAMPLE_SEED = 5


def tiny_model(layers, seed):
    torch.manual_seed(seed)
    levels = len(CHANNELS)
    model = AutoencoderKL(
        block_out_channels=CHANNELS,
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        layers_per_block=layers,
        latent_channels=4,
        norm_num_groups=4,
        sample_size=64,
        scaling_factor=0.18215,
    )
    return randomise(model, seed)


@torch.no_grad()
def export():
    for seed, (name, (layers, sizes)) in enumerate(CASES.items()):
        model = tiny_model(layers, seed)
        model.save_pretrained(GOLDEN / "vae" / name / "vae")
        for width, height, batch in sizes:
            noise = generator(200 + seed)
            image = torch.rand(batch, 3, height, width, generator=noise) * 2 - 1
            latent = torch.randn(batch, 4, height // 8, width // 8, generator=noise)
            posterior = model.encode(image).latent_dist
            tensors = {
                "image": image,
                "moments": posterior.parameters,
                "mean": posterior.mean,
                "logvar": posterior.logvar,
                "sample": posterior.sample(generator(SAMPLE_SEED)),
                "latent": latent,
                "decoded": model.decode(latent, return_dict=False)[0],
            }
            write_case(
                f"vae/{name}_{width}x{height}",
                tensors,
                sample_seed=SAMPLE_SEED,
                model=f"vae/{name}/vae",
            )
