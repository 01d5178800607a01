"""Golden runs of a whole tiny Stable Diffusion pipeline with random weights."""

import torch
from diffusers import PNDMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from golden import DEMO_MODEL, GOLDEN, randomise
from reference import Request
from runs import write_run
from sd_folder import save_pipeline
from vae import tiny_model as tiny_vae

MODEL = GOLDEN / "tiny_sd" / "model"
BASE = {"width": 136, "height": 104, "images": 2, "steps": 6, "guidance": 7.5, "seed": 3}
PROMPT, NEGATIVE = "a red circle on a blue background", "a blurry grey square"

# name: (scheduler alias, changes to the base request)
CASES = {
    "ddim": ("ddim", {}),
    "ddim_eta": ("ddim", {"eta": 0.5}),
    "pndm": ("pndm", {}),
    "euler": ("euler", {}),
    "euler_a": ("euler_a", {}),
    "dpmpp_2m": ("dpmpp_2m", {}),
    "dpmpp_2m_karras": ("dpmpp_2m_karras", {}),
    "no_negative": ("dpmpp_2m", {"negative": "", "images": 1, "seed": 4}),
    "no_guidance": ("euler", {"guidance": 1.0}),
    "clip_skip_1": ("dpmpp_2m", {"clip_skip": 1, "images": 1}),
    "clip_skip_2": ("dpmpp_2m", {"clip_skip": 2, "images": 1}),
    "long_prompt": ("pndm", {"prompt": "two yellow stars, " * 40, "images": 1, "width": 64}),
    "guidance_interval": ("euler", {"guidance_start": 0.2, "guidance_end": 0.7}),
    "spacing_trailing": ("ddim", {"timestep_spacing": "trailing", "images": 1}),
    "spacing_linspace": ("dpmpp_2m", {"timestep_spacing": "linspace", "images": 1}),
    "three_images": ("euler_a", {"images": 3, "width": 48, "height": 64}),
}


def build(folder):
    """A model of the real layout with unequal dimensions, sharing the demo model's vocabulary."""
    tokenizer = CLIPTokenizer.from_pretrained(DEMO_MODEL / "tokenizer")
    torch.manual_seed(31)
    text = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=37,
            num_hidden_layers=3,
            num_attention_heads=4,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            projection_dim=32,
        )
    )
    unet = UNet2DConditionModel(
        sample_size=16,
        block_out_channels=(12, 18, 30),
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        layers_per_block=1,
        cross_attention_dim=32,
        norm_num_groups=6,
        attention_head_dim=3,
    )
    scheduler = PNDMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        skip_prk_steps=True,
        set_alpha_to_one=False,
        steps_offset=1,
    )
    pipeline = StableDiffusionPipeline(
        text_encoder=randomise(text, 32),
        tokenizer=tokenizer,
        unet=randomise(unet, 33),
        vae=tiny_vae(1, 34),
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    save_pipeline(pipeline, folder, DEMO_MODEL / "tokenizer")


def export():
    build(MODEL)
    for name, (scheduler, changes) in CASES.items():
        request = Request(**{"prompt": PROMPT, "negative": NEGATIVE, **BASE, **changes})
        write_run(f"tiny_sd/{name}", "tiny_sd/model", scheduler, request)
