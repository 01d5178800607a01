"""A whole run of a pipeline as a golden case."""

from dataclasses import asdict

from golden import GOLDEN, write_case
from reference import load, run


def write_run(case, model, scheduler, request):
    """Runs `request` on the folder `model` (relative to tests/golden/) and keeps every step."""
    result = run(load((GOLDEN / model).resolve(), scheduler), request)
    tensors = {
        "prompt_embeds": result.prompt_embeds,
        "noise": result.noise,
        "latents": result.latents,
        "pixels": result.pixels(),
    }
    if result.negative_prompt_embeds is not None:
        tensors["negative_prompt_embeds"] = result.negative_prompt_embeds
    write_case(
        case,
        tensors,
        model=model,
        scheduler=scheduler,
        request=asdict(request),
        effective_scheduler_config=result.scheduler_config,
    )
