"""diffusers run the way phasor-render runs: same scheduler names, same noise, same options."""

from dataclasses import dataclass, field

import diffusers
import torch

# alias: (class, changes to the model's own scheduler config)
SCHEDULERS = {
    "ddim": ("DDIMScheduler", {}),
    "pndm": ("PNDMScheduler", {"skip_prk_steps": True}),
    "euler": ("EulerDiscreteScheduler", {"use_karras_sigmas": False}),
    "euler_a": ("EulerAncestralDiscreteScheduler", {}),
    "dpmpp_2m": ("DPMSolverMultistepScheduler", {"use_karras_sigmas": False}),
    "dpmpp_2m_karras": ("DPMSolverMultistepScheduler", {"use_karras_sigmas": True}),
}


@dataclass
class Request:
    """What phasor-render takes on its command line."""

    prompt: str
    negative: str = ""
    seed: int = 0
    steps: int = 20
    guidance: float = 4.0
    width: int = 128
    height: int = 128
    images: int = 1
    clip_skip: int | None = None
    eta: float = 0.0


@dataclass
class Result:
    """Embeddings, noise, latents after every step [steps + 1, B, C, h, w], pictures in 0..1."""

    prompt_embeds: torch.Tensor
    negative_prompt_embeds: torch.Tensor | None
    noise: torch.Tensor
    latents: torch.Tensor
    images: torch.Tensor
    scheduler_config: dict = field(default_factory=dict)

    def pixels(self) -> torch.Tensor:
        """8-bit pictures [B, H, W, 3]; rounds half to even."""
        return (self.images * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def load(model, scheduler):
    """The folder's pipeline in fp32 with the scheduler of that name, or its own for None."""
    pipeline = diffusers.StableDiffusionPipeline.from_pretrained(
        model, dtype=torch.float32, safety_checker=None, local_files_only=True
    )
    if scheduler is not None:
        class_name, changes = SCHEDULERS[scheduler]
        chosen = getattr(diffusers, class_name).from_config(pipeline.scheduler.config, **changes)
        # Built anew, not assigned: the constructor sets steps_offset 1 and clip_sample false.
        pipeline = diffusers.StableDiffusionPipeline(
            **{**pipeline.components, "scheduler": chosen}, requires_safety_checker=False
        )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def generators(request):
    """Image i has a CPU generator of its own, seeded seed + i."""
    return [torch.Generator().manual_seed(request.seed + i) for i in range(request.images)]


@torch.no_grad()
def run(pipeline, request: Request) -> Result:
    scale = pipeline.vae_scale_factor
    channels = pipeline.unet.config.in_channels
    shape = (1, channels, request.height // scale, request.width // scale)
    noise = torch.cat([torch.randn(shape, generator=g) for g in generators(request)])
    guided = request.guidance > 1
    embeds, negative_embeds = pipeline.encode_prompt(
        request.prompt, "cpu", 1, guided, request.negative, clip_skip=request.clip_skip
    )
    kept = []

    def keep(_pipeline, _step, _timestep, tensors):
        kept.append(tensors["latents"].clone())
        return {}

    images = pipeline(
        request.prompt,
        negative_prompt=request.negative,
        num_inference_steps=request.steps,
        guidance_scale=request.guidance,
        width=request.width,
        height=request.height,
        num_images_per_prompt=request.images,
        generator=generators(request),
        clip_skip=request.clip_skip,
        eta=request.eta,
        output_type="pt",
        callback_on_step_end=keep,
        callback_on_step_end_tensor_inputs=["latents"],
    ).images
    start = noise * pipeline.scheduler.init_noise_sigma
    config = {k: v for k, v in pipeline.scheduler.config.items() if not k.startswith("_use")}
    return Result(embeds, negative_embeds, noise, torch.stack([start, *kept]), images, config)
