"""Export golden tensors from diffusers and transformers into tests/golden/ and tests/corpus/.

export.py                      everything
export.py --only schedulers    one part; `demo` has to be made anew whenever its weights change
"""

import argparse
import importlib

from golden import deterministic

PARTS = {
    "schedulers": "schedulers",
    "clip": "clip_text",
    "unet": "unet",
    "vae": "vae",
    "vae_tiled": "vae_tiled",
    "quantised": "quantised",
    "corpus": "tokenizer_corpus",
    "tiny": "tiny_pipeline",
    "demo": "demo_pipeline",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", choices=PARTS, action="append", help="may be given several times")
    args = parser.parse_args()
    deterministic()
    for part in args.only or PARTS:
        importlib.import_module(PARTS[part]).export()
        print(part, flush=True)


if __name__ == "__main__":
    main()
