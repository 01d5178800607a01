"""diffusers run the way phasor-render runs: same scheduler names, same noise, same options."""

import time
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
    guidance_start: float = 0.0
    guidance_end: float = 1.0
    timestep_spacing: str = ""


@dataclass
class Result:
    """Embeddings, noise, latents after every step [steps + 1, B, C, h, w], pictures in 0..1."""

    prompt_embeds: torch.Tensor
    negative_prompt_embeds: torch.Tensor | None
    noise: torch.Tensor
    latents: torch.Tensor
    images: torch.Tensor
    scheduler_config: dict = field(default_factory=dict)
    seconds: dict = field(default_factory=dict)  # encode, steps (a list), decode

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


class IntervalPipeline(diffusers.StableDiffusionPipeline):
    """Guidance in a share of the steps, as diffusers' guiders have it (guiders/guider_utils.py).

    Both halves of the batch are always computed; where guidance is off the scale is 1, which leaves
    the prompt's prediction.
    """

    share, steps, calls = (0.0, 1.0), 0, 0

    @property
    def do_classifier_free_guidance(self):
        return True

    @property
    def guidance_scale(self):
        start, end = (int(bound * self.steps) for bound in self.share)
        return self._guidance_scale if start <= self.calls < end else 1.0


def generators(request):
    """Image i has a CPU generator of its own, seeded seed + i."""
    return [torch.Generator().manual_seed(request.seed + i) for i in range(request.images)]


def draw_noise(pipeline, request, generators):
    scale, channels = pipeline.vae_scale_factor, pipeline.unet.config.in_channels
    shape = (1, channels, request.height // scale, request.width // scale)
    return torch.cat([torch.randn(shape, generator=g) for g in generators])


@torch.no_grad()
def run(pipeline, request: Request, noise: torch.Tensor | None = None) -> Result:
    """Runs the request phase by phase; `noise` takes the place of the first draw."""
    if (request.guidance_start, request.guidance_end) != (0.0, 1.0):
        pipeline = IntervalPipeline(**pipeline.components, requires_safety_checker=False)
        pipeline.share, pipeline.steps = (request.guidance_start, request.guidance_end), request.steps
        pipeline.set_progress_bar_config(disable=True)
    if request.timestep_spacing:
        pipeline.scheduler = type(pipeline.scheduler).from_config(
            pipeline.scheduler.config, timestep_spacing=request.timestep_spacing
        )
    clock = [time.perf_counter()]
    embeds, negative_embeds = pipeline.encode_prompt(
        request.prompt,
        "cpu",
        1,
        request.guidance > 1,
        request.negative,
        clip_skip=request.clip_skip,
    )
    clock.append(time.perf_counter())
    kept, ticks = [], []

    def keep(_pipeline, _step, _timestep, tensors):
        ticks.append(time.perf_counter())
        kept.append(tensors["latents"].clone())
        _pipeline.calls = _step + 1
        return {}

    draws = generators(request)
    noise = draw_noise(pipeline, request, draws) if noise is None else noise
    pipeline(
        prompt_embeds=embeds,
        negative_prompt_embeds=negative_embeds,
        num_inference_steps=request.steps,
        guidance_scale=request.guidance,
        width=request.width,
        height=request.height,
        num_images_per_prompt=request.images,
        latents=noise,
        generator=draws,  # they go on where the first draw ended
        eta=request.eta,
        output_type="latent",
        callback_on_step_end=keep,
        callback_on_step_end_tensor_inputs=["latents"],
    )
    start = noise * pipeline.scheduler.init_noise_sigma
    clock.append(time.perf_counter())
    decoded = pipeline.vae.decode(kept[-1] / pipeline.vae.config.scaling_factor).sample
    images = pipeline.image_processor.postprocess(decoded, output_type="pt")
    clock.append(time.perf_counter())
    steps = [b - a for a, b in zip([clock[1], *ticks], ticks)]
    seconds = {"encode": clock[1] - clock[0], "steps": steps, "decode": clock[3] - clock[2]}
    config = {k: v for k, v in pipeline.scheduler.config.items() if not k.startswith("_use")}
    latents = torch.stack([start, *kept])
    return Result(embeds, negative_embeds, noise, latents, images, config, seconds)
