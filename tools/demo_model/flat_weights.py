"""All weights of several modules as one vector: one all-reduce, one optimiser step, one average.

A small network spends a good part of a CPU step on hundreds of tiny tensors; as one vector the
optimiser and the exchange of gradients between processes become single passes over memory.
"""

import torch
from torch import nn


class FlatWeights:
    """Moves the modules' parameters and gradients into `vector` and `vector.grad`."""

    def __init__(self, modules: dict[str, nn.Module]):
        self.modules = modules
        named = list(self._named())
        device = named[0][1].device
        size = sum(p.numel() for _, p in named)
        self.vector = nn.Parameter(torch.zeros(size, device=device))
        self.vector.grad = torch.zeros_like(self.vector)
        position = 0
        with torch.no_grad():
            for _, parameter in named:
                span = slice(position, position + parameter.numel())
                stored = _view(self.vector.data[span], parameter.shape)
                stored.copy_(parameter)
                parameter.data = stored
                parameter.grad = _view(self.vector.grad[span], parameter.shape)
                position = span.stop

    def _named(self):
        for module, network in self.modules.items():
            for name, parameter in network.named_parameters():
                yield f"{module}/{name}", parameter

    def tensors(self, vector: torch.Tensor) -> dict[str, torch.Tensor]:
        """`vector`, of this layout, as copies under "module/parameter" names."""
        named, position = {}, 0
        for name, parameter in self._named():
            span = slice(position, position + parameter.numel())
            named[name] = _view(vector[span], parameter.shape).detach().clone().contiguous().cpu()
            position = span.stop
        return named

    def flatten(self, tensors: dict[str, torch.Tensor]) -> torch.Tensor:
        """The inverse of `tensors`."""
        vector, position = torch.zeros_like(self.vector.data), 0
        for name, parameter in self._named():
            span = slice(position, position + parameter.numel())
            _view(vector[span], parameter.shape).copy_(tensors[name])
            position = span.stop
        return vector


def _view(flat, shape):
    """A view of the flat slice; convolution weights lie channels-last, a fifth faster on the CPU."""
    if len(shape) != 4:
        return flat.view(shape)
    out_channels, in_channels, height, width = shape
    return flat.view(out_channels, height, width, in_channels).permute(0, 3, 1, 2)
