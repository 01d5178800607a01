"""Write trained weights into the model folder: diffusers layout, fp16.

export.py                       the averaged UNet and text encoder of unet-state.pt
export.py --vae                 the decoder of vae-state.pt as well
export.py --into /tmp/trial     a whole model elsewhere, to look at a run in progress
"""

import argparse
import hashlib
import json
import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextModel

from train_dir import MODEL, train_dir

CLASSES = {"unet": UNet2DConditionModel, "text_encoder": CLIPTextModel, "vae": AutoencoderKL}


def load(component, model=MODEL):
    return CLASSES[component].from_pretrained(model, subfolder=component, dtype=torch.float32)


def write(component, tensors, into):
    """Put `tensors` (a part of the component's, by name) in their place, in fp16."""
    network = load(component)
    unknown = network.load_state_dict(tensors, strict=False).unexpected_keys
    if unknown:
        raise SystemExit(f"{component} has no {unknown[0]}")
    (path,) = (into / component).glob("*.safetensors")
    held = {name: value.half().contiguous() for name, value in network.state_dict().items()}
    save_file(held, path, metadata={"format": "pt"})
    path.chmod(0o644)  # it is made readable for its owner alone


def write_prediction(prediction, into):
    """The scheduler's config says what the UNet predicts."""
    path = into / "scheduler" / "scheduler_config.json"
    config = json.loads(path.read_text()) | {"prediction_type": prediction}
    path.write_text(json.dumps(config, indent=2) + "\n")


def write_sha256(into):
    """The card says what every file must hash to; the list is its end."""
    card = into / "phasor.yaml"
    kept = card.read_text().split("\n# What every file must hash to", 1)[0].rstrip("\n")
    lines = ["", "", "# What every file must hash to; written by tools/demo_model/export.py.", "sha256:"]
    for component in ("text_encoder", "tokenizer", "unet", "vae"):
        for path in sorted((into / component).iterdir()):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            lines.append(f"  {component}/{path.name}: {digest}")
    card.write_text(kept + "\n".join(lines) + "\n")


def parts_of(named, component):
    prefix = component + "/"
    return {k.removeprefix(prefix): v for k, v in named.items() if k.startswith(prefix)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--state", type=Path, default=None)
    parser.add_argument("--raw", action="store_true", help="the last weights, not their average")
    parser.add_argument("--vae", action="store_true", help="also the decoder of vae-state.pt")
    parser.add_argument("--only-vae", action="store_true")
    parser.add_argument("--into", type=Path, default=MODEL)
    args = parser.parse_args()

    if args.into.resolve() != MODEL.resolve():
        shutil.copytree(MODEL, args.into, dirs_exist_ok=True)
    if not args.only_vae:
        state = torch.load(args.state or train_dir() / "unet-state.pt")
        named = state["weights" if args.raw else "average"]
        for component in ("unet", "text_encoder"):
            write(component, parts_of(named, component), args.into)
        write_prediction(state["prediction"], args.into)
        print(f"unet and text_encoder at step {state['step']}")
    if args.vae or args.only_vae:
        state = torch.load(train_dir() / "vae-state.pt")
        write("vae", state["decoder"], args.into)
        print(f"vae decoder at step {state['step']}")
    write_sha256(args.into)
    print(args.into)


if __name__ == "__main__":
    main()
