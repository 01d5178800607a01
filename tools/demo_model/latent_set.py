"""The encoded scenes as one set in memory, and batches drawn from it."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn.functional import interpolate


@dataclass
class Batch:
    latents: torch.Tensor
    ids: torch.Tensor
    timesteps: torch.Tensor
    noise: torch.Tensor


class LatentSet:
    """Reads the shards that prepare_latents.py wrote; `reload` picks up new ones."""

    def __init__(self, folder: Path, end_of_text: int, start_of_text: int):
        self.folder = folder
        self.end_of_text = end_of_text
        self.empty = torch.full((77,), end_of_text)
        self.empty[0] = start_of_text
        self.shards: list[str] = []
        self.reload()

    def reload(self):
        paths = sorted(self.folder.glob("*.pt"))
        names = [path.name for path in paths]
        if not names:
            raise SystemExit(f"no shards in {self.folder}: run prepare_latents.py first")
        if names != self.shards:
            shards = [torch.load(path) for path in paths]
            self.latents = torch.cat([s["latents"] for s in shards])
            self.ids = torch.cat([s["ids"] for s in shards]).long()
            self.shards = names

    def __len__(self):
        return len(self.latents)

    def batch(
        self, size, generator, part=(0, 1), full_length=False, empty_share=0.1, shift=0.0
    ) -> Batch:
        """One process's part of a batch. Timesteps are stratified over all parts together.

        `shift` adds coarse noise, constant over the picture and over its sixteenths: colours in
        the noisy latents become unreliable, so they have to be read in the caption.
        """
        index, parts = part
        picks = torch.randint(len(self), (size,), generator=generator)
        ids = self.ids[picks]
        ids[torch.rand(size, generator=generator) < empty_share] = self.empty
        if not full_length:
            ids = ids[:, : self._longest(ids)]
        strata = torch.arange(index, size * parts, parts)
        timesteps = (strata + torch.rand(size, generator=generator)) / (size * parts) * 1000
        latents = self.latents[picks]
        noise = torch.randn(latents.shape, generator=generator)
        if shift > 0:
            for side in (1, 4):
                coarse = torch.randn(size, latents.shape[1], side, side, generator=generator)
                noise += shift * interpolate(coarse, size=latents.shape[-2:], mode="nearest")
        return Batch(latents, ids, timesteps.long().clamp(max=999), noise)

    def _longest(self, ids):
        """Length that keeps every caption and its end mark."""
        return int((ids != self.end_of_text).sum(dim=1).max()) + 1
