"""Write a model with random weights in Stable Diffusion 1.5's exact shape, for benchmarks.

    random_model.py OUT                 860 M parameters in the UNet, 2.1 GB in fp16
    random_model.py OUT --size small    the same plan with a fifth of the channels

Pictures from it are noise; what counts is that every tensor has the size it has in practice. The
tokenizer is the corpus' second one: its 3,514 ids fit into the 49,408 rows of the text encoder.
"""

import argparse
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    PNDMScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from golden import REPOSITORY
from sd_folder import save_pipeline

TOKENIZER = REPOSITORY / "tests" / "corpus" / "vocab2"
SIZES = {
    "sd15": {"unet": 320, "vae": 128, "groups": 32, "text": 768, "text_layers": 12},
    "small": {"unet": 64, "vae": 32, "groups": 32, "text": 192, "text_layers": 4},
}


def text_encoder(size, tokenizer):
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=49408,
            hidden_size=size["text"],
            intermediate_size=4 * size["text"],
            num_hidden_layers=size["text_layers"],
            num_attention_heads=size["text"] // 64,
            hidden_act="quick_gelu",
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            projection_dim=size["text"],
        )
    )


def unet(size):
    c = size["unet"]
    return UNet2DConditionModel(
        sample_size=64,
        block_out_channels=(c, 2 * c, 4 * c, 4 * c),
        cross_attention_dim=size["text"],
        attention_head_dim=8,
        norm_num_groups=size["groups"],
    )


def vae(size):
    c = size["vae"]
    return AutoencoderKL(
        block_out_channels=(c, 2 * c, 4 * c, 4 * c),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=2,
        norm_num_groups=size["groups"],
        sample_size=512,
    )


def scheduler():
    return PNDMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        skip_prk_steps=True,
        set_alpha_to_one=False,
        steps_offset=1,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", choices=SIZES, default="sd15")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    size = SIZES[args.size]
    tokenizer = CLIPTokenizer.from_pretrained(TOKENIZER)
    torch.manual_seed(args.seed)
    networks = {"text_encoder": text_encoder(size, tokenizer), "unet": unet(size), "vae": vae(size)}
    pipeline = StableDiffusionPipeline(
        **{name: network.half() for name, network in networks.items()},
        tokenizer=tokenizer,
        scheduler=scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    save_pipeline(pipeline, args.out, TOKENIZER)
    for name, network in networks.items():
        count = sum(parameter.numel() for parameter in network.parameters())
        print(f"{name:13} {count / 1e6:8.1f} M parameters")
    print(args.out)


if __name__ == "__main__":
    main()
