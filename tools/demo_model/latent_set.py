"""The encoded scenes as one set in memory, and batches drawn from it."""

from dataclasses import dataclass
from pathlib import Path

import torch


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

    def batch(self, size, generator, part=(0, 1), full_length=False, empty_share=0.1) -> Batch:
        """One process's part of a batch. Timesteps are stratified over all parts together."""
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
        return Batch(latents, ids, timesteps.long().clamp(max=999), noise)

    def _longest(self, ids):
        """Length that keeps every caption and its end mark."""
        return int((ids != self.end_of_text).sum(dim=1).max()) + 1
