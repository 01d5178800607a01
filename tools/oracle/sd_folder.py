"""Saving a pipeline so that its tokenizer can be read from vocab.json and merges.txt."""

import shutil
from pathlib import Path


def save_pipeline(pipeline, folder: Path, vocabulary: Path):
    """save_pretrained, plus the two files that transformers 5 leaves out, from `vocabulary`."""
    # PNDM has no such key, but published SD 1.x files do: a DDIM made from it must not clip.
    pipeline.scheduler.register_to_config(clip_sample=False)
    pipeline.save_pretrained(folder)
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(vocabulary / name, folder / "tokenizer" / name)
