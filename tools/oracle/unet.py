"""Golden tensors of UNet2DConditionModel: both attention layouts, odd sizes, all kinds of times."""

import torch
from diffusers import UNet2DConditionModel

from golden import GOLDEN, generator, randomise, write_case

CONTEXT = 24
SD1 = {
    "sample_size": 16,
    "block_out_channels": (12, 18, 30),
    "down_block_types": ("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
    "layers_per_block": 2,
    "cross_attention_dim": CONTEXT,
    "norm_num_groups": 6,
    "attention_head_dim": 3,
}

MODELS = {
    "sd1": SD1,
    "four_levels": {
        **SD1,
        "block_out_channels": (8, 12, 20, 28),
        "down_block_types": ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
        "up_block_types": ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
        "layers_per_block": 1,
        "norm_num_groups": 4,
        "attention_head_dim": 2,
    },
    "linear": {
        **SD1,
        "use_linear_projection": True,
        "attention_head_dim": (3, 2, 5),
        "transformer_layers_per_block": (1, 2, 1),
    },
    "inpaint": {
        **SD1,
        "in_channels": 9,
        "block_out_channels": (12, 24),
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
        "layers_per_block": 1,
    },
}

# (model, latent width, height, batch, timestep); 17x13 are the latents of a picture of 136x104
CASES = [
    ("sd1", 16, 12, 2, 981),
    ("sd1", 17, 13, 2, 981.25),
    ("sd1", 28, 20, 3, 1),
    ("four_levels", 28, 20, 1, 500),
    ("four_levels", 17, 13, 2, 250.5),
    ("linear", 16, 12, 2, 981),
    ("linear", 17, 13, 3, 981.25),
    ("inpaint", 14, 9, 1, 41),
]
BLOCKS_OF = "unet/sd1_16x12"


def record_blocks(model, outputs):
    """Hooks that keep the outputs of conv_in, the time embedding and every block."""

    def keep(name):
        def hook(_module, _inputs, output):
            value = output[0] if isinstance(output, tuple) else output
            outputs[f"block.{name}"] = value

        return hook

    parts = {"conv_in": model.conv_in, "temb": model.time_embedding, "mid": model.mid_block}
    parts |= {f"down.{i}": block for i, block in enumerate(model.down_blocks)}
    parts |= {f"up.{i}": block for i, block in enumerate(model.up_blocks)}
    parts["norm_out"] = model.conv_norm_out
    return [part.register_forward_hook(keep(name)) for name, part in parts.items()]


def tiny_model(name):
    seed = list(MODELS).index(name)
    torch.manual_seed(seed)
    return randomise(UNet2DConditionModel(**MODELS[name]), seed)


@torch.no_grad()
def export():
    for name in MODELS:
        tiny_model(name).save_pretrained(GOLDEN / "unet" / name / "unet")
    for seed, (name, width, height, batch, timestep) in enumerate(CASES):
        case, model, noise = (
            f"unet/{name}_{width}x{height}",
            tiny_model(name),
            generator(100 + seed),
        )
        sample = torch.randn(batch, model.config.in_channels, height, width, generator=noise)
        context = torch.randn(batch, 77, CONTEXT, generator=noise)
        tensors = {
            "sample": sample,
            "timestep": torch.tensor(timestep),
            "encoder_hidden_states": context,
        }
        if case == BLOCKS_OF:
            record_blocks(model, tensors)
        tensors["output"] = model(sample, timestep, context, return_dict=False)[0]
        write_case(case, tensors, model=f"unet/{name}/unet")
