"""How a golden case lies on disk, and how tiny random models are made honest.

tests/golden/<case>/ holds golden.safetensors (inputs and expected outputs), manifest.json (what was
run, with which versions) and, where a model is involved, its folder in diffusers layout.
"""

import json
from pathlib import Path

import diffusers
import tokenizers
import torch
import transformers
from safetensors.torch import save_file

REPOSITORY = Path(__file__).resolve().parents[2]
GOLDEN = REPOSITORY / "tests" / "golden"
DEMO_MODEL = REPOSITORY / "models" / "phasor-demo"


def deterministic():
    """One thread and deterministic kernels: the files are the same on every run of one machine."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def randomise(module: torch.nn.Module, seed: int, amount: float = 0.05) -> torch.nn.Module:
    """Adds noise to every parameter: norms that start as ones and zeros would hide mistakes."""
    noise = generator(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += amount * torch.randn(parameter.shape, generator=noise)
    return module.eval()


def _dtype(tensor):
    return str(tensor.dtype).removeprefix("torch.")


def write_case(name: str, tensors: dict[str, torch.Tensor], **manifest) -> Path:
    """Writes the tensors and the manifest of one case, and returns its folder."""
    folder = GOLDEN / name
    folder.mkdir(parents=True, exist_ok=True)
    held = {key: value.detach().contiguous().clone() for key, value in tensors.items()}
    save_file(held, folder / "golden.safetensors")
    (folder / "golden.safetensors").chmod(0o644)  # it is made readable for its owner alone
    manifest |= {
        "case": name,
        "versions": {
            "torch": torch.__version__.split("+")[0],
            "diffusers": diffusers.__version__,
            "transformers": transformers.__version__,
            "tokenizers": tokenizers.__version__,
        },
        "tensors": {key: f"{_dtype(tensor)} {list(tensor.shape)}" for key, tensor in held.items()},
    }
    text = json.dumps(manifest, indent=1, ensure_ascii=False)
    (folder / "manifest.json").write_text(text + "\n")
    return folder
