"""Golden traces of the schedulers: tables, and the latents after every step.

The model's output of every step is random and stored, so a reader feeds `model_outputs[k]` to
step k and compares with `latents[k + 1]`; no model has to be written twice.
"""

import json

import diffusers
import torch

from golden import generator, write_case

SHAPE = (2, 4, 5, 7)
SD = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
DEMO = {"beta_start": 0.0001, "beta_end": 0.02, "beta_schedule": "linear"}
LEADING = {"timestep_spacing": "leading", "steps_offset": 1}

DDIM = {**SD, **LEADING, "clip_sample": False, "set_alpha_to_one": False}
PNDM = {**SD, **LEADING, "set_alpha_to_one": False}
DPMPP = {**SD, "algorithm_type": "dpmsolver++", "solver_order": 2, "lower_order_final": True}

# name: (class, config, number of steps, step arguments)
CASES = {
    "ddim_leading": ("DDIMScheduler", DDIM, 10, {}),
    "ddim_leading_n50": ("DDIMScheduler", DDIM, 50, {}),
    "ddim_trailing": ("DDIMScheduler", {**DDIM, "timestep_spacing": "trailing"}, 10, {}),
    "ddim_linspace": ("DDIMScheduler", {**DDIM, "timestep_spacing": "linspace"}, 10, {}),
    "ddim_v_prediction": ("DDIMScheduler", {**DDIM, "prediction_type": "v_prediction"}, 10, {}),
    "ddim_sample": ("DDIMScheduler", {**DDIM, "prediction_type": "sample"}, 10, {}),
    "ddim_eta": ("DDIMScheduler", DDIM, 10, {"eta": 0.5}),
    "ddim_clip_sample": (
        "DDIMScheduler",
        {**DDIM, "clip_sample": True, "clip_sample_range": 0.8, "set_alpha_to_one": True},
        10,
        {},
    ),
    "ddim_demo": ("DDIMScheduler", {**DDIM, **DEMO}, 20, {}),
    "pndm_plms": ("PNDMScheduler", {**PNDM, "skip_prk_steps": True}, 10, {}),
    "pndm_plms_n1": ("PNDMScheduler", {**PNDM, "skip_prk_steps": True}, 1, {}),
    "pndm_plms_n2": ("PNDMScheduler", {**PNDM, "skip_prk_steps": True}, 2, {}),
    "pndm_plms_n50": ("PNDMScheduler", {**PNDM, "skip_prk_steps": True}, 50, {}),
    "pndm_plms_trailing": (
        "PNDMScheduler",
        {**PNDM, "skip_prk_steps": True, "timestep_spacing": "trailing", "steps_offset": 0},
        10,
        {},
    ),
    "pndm_plms_v_prediction": (
        "PNDMScheduler",
        {**PNDM, "skip_prk_steps": True, "prediction_type": "v_prediction"},
        10,
        {},
    ),
    "pndm_plms_demo": ("PNDMScheduler", {**PNDM, **DEMO, "skip_prk_steps": True}, 20, {}),
    "pndm_prk": ("PNDMScheduler", {**PNDM, "skip_prk_steps": False}, 10, {}),
    "euler_leading": ("EulerDiscreteScheduler", {**SD, **LEADING}, 10, {}),
    "euler_linspace": ("EulerDiscreteScheduler", {**SD, "timestep_spacing": "linspace"}, 10, {}),
    "euler_trailing": ("EulerDiscreteScheduler", {**SD, "timestep_spacing": "trailing"}, 10, {}),
    "euler_karras": ("EulerDiscreteScheduler", {**SD, "use_karras_sigmas": True}, 10, {}),
    "euler_karras_leading": (
        "EulerDiscreteScheduler",
        {**SD, **LEADING, "use_karras_sigmas": True},
        10,
        {},
    ),
    "euler_v_prediction": (
        "EulerDiscreteScheduler",
        {**SD, **LEADING, "prediction_type": "v_prediction"},
        10,
        {},
    ),
    "euler_zero_snr": (
        "EulerDiscreteScheduler",
        {
            **SD,
            "timestep_spacing": "trailing",
            "prediction_type": "v_prediction",
            "rescale_betas_zero_snr": True,
        },
        10,
        {},
    ),
    "euler_demo": ("EulerDiscreteScheduler", {**DEMO, **LEADING}, 20, {}),
    "euler_a_leading": ("EulerAncestralDiscreteScheduler", {**SD, **LEADING}, 10, {}),
    "euler_a_linspace": ("EulerAncestralDiscreteScheduler", {**SD}, 10, {}),
    "euler_a_v_prediction": (
        "EulerAncestralDiscreteScheduler",
        {**SD, **LEADING, "prediction_type": "v_prediction"},
        10,
        {},
    ),
    "euler_a_demo": ("EulerAncestralDiscreteScheduler", {**DEMO, **LEADING}, 20, {}),
    "dpmpp_2m_n1": ("DPMSolverMultistepScheduler", {**DPMPP, **LEADING}, 1, {}),
    "dpmpp_2m_n4": ("DPMSolverMultistepScheduler", {**DPMPP, **LEADING}, 4, {}),
    "dpmpp_2m_n20": ("DPMSolverMultistepScheduler", {**DPMPP, **LEADING}, 20, {}),
    "dpmpp_2m_n30": ("DPMSolverMultistepScheduler", {**DPMPP, **LEADING}, 30, {}),
    "dpmpp_2m_n50": ("DPMSolverMultistepScheduler", {**DPMPP, **LEADING}, 50, {}),
    "dpmpp_2m_linspace": ("DPMSolverMultistepScheduler", DPMPP, 20, {}),
    "dpmpp_2m_trailing": (
        "DPMSolverMultistepScheduler",
        {**DPMPP, "timestep_spacing": "trailing"},
        20,
        {},
    ),
    "dpmpp_2m_v_prediction": (
        "DPMSolverMultistepScheduler",
        {**DPMPP, **LEADING, "prediction_type": "v_prediction"},
        10,
        {},
    ),
    "dpmpp_2m_sigma_min": (
        "DPMSolverMultistepScheduler",
        {**DPMPP, "final_sigmas_type": "sigma_min", "lower_order_final": False},
        10,
        {},
    ),
    "dpmpp_2m_demo": ("DPMSolverMultistepScheduler", {**DPMPP, **DEMO, **LEADING}, 20, {}),
    **{
        f"dpmpp_2m_karras_n{n}": (
            "DPMSolverMultistepScheduler",
            {**DPMPP, **LEADING, "use_karras_sigmas": True},
            n,
            {},
        )
        for n in (4, 20, 30, 50)
    },
    "dpmpp_2m_karras_demo": (
        "DPMSolverMultistepScheduler",
        {**DPMPP, **DEMO, **LEADING, "use_karras_sigmas": True},
        20,
        {},
    ),
}
DRAWS_NOISE = {"EulerAncestralDiscreteScheduler", "DDIMScheduler"}
NOISE_SEED = 11


def trace(scheduler, steps, arguments):
    """Tables of the schedule and the latents of every step, with random model outputs."""
    scheduler.set_timesteps(steps)
    calls = len(scheduler.timesteps)
    outputs = torch.randn((calls, *SHAPE), generator=generator(1))
    latents = torch.randn(SHAPE, generator=generator(2)) * scheduler.init_noise_sigma
    if type(scheduler).__name__ in DRAWS_NOISE:
        arguments = {**arguments, "generator": generator(NOISE_SEED)}
    kept, scaled = [latents], []
    for timestep, output in zip(scheduler.timesteps, outputs):
        scaled.append(scheduler.scale_model_input(latents, timestep))
        latents = scheduler.step(output, timestep, latents, **arguments).prev_sample
        kept.append(latents)
    tensors = {
        "alphas_cumprod": scheduler.alphas_cumprod,
        "timesteps": scheduler.timesteps,
        "init_noise_sigma": torch.tensor(float(scheduler.init_noise_sigma)),
        "model_outputs": outputs,
        "latents": torch.stack(kept),
    }
    if hasattr(scheduler, "sigmas"):
        tensors["sigmas"] = scheduler.sigmas
    if "Euler" in type(scheduler).__name__:  # the others leave the input as it is
        tensors["scaled_inputs"] = torch.stack(scaled)
    return tensors


def export():
    for name, (class_name, config, steps, arguments) in CASES.items():
        scheduler = getattr(diffusers, class_name)(**config)
        tensors = trace(scheduler, steps, arguments)
        folder = write_case(
            f"schedulers/{name}",
            tensors,
            scheduler=class_name,
            steps=steps,
            step_arguments=arguments,
            noise_seed=NOISE_SEED if class_name in DRAWS_NOISE else None,
        )
        written = {"_class_name": class_name, "_diffusers_version": diffusers.__version__}
        text = json.dumps({**written, **config}, indent=2)
        (folder / "scheduler_config.json").write_text(text + "\n")
