"""Golden quantised weights: NF4 as bitsandbytes stores it, FP8 as PyTorch casts it.

bitsandbytes is installed beside the oracle's environment, not with it: it is needed here alone.
"""

import bitsandbytes
import torch
from bitsandbytes.backends.default.ops import _dequantize_4bit_compute
from bitsandbytes.functional import quantize_4bit

from golden import generator, write_case

BLOCK = 64
SHAPES = {"square": (64, 64), "odd": (7, 65), "short": (5, 100), "kernel": (6, 5, 3, 3)}


def weights():
    for index, (name, shape) in enumerate(SHAPES.items()):
        weight = torch.randn(*shape, generator=generator(400 + index)) * 0.03
        weight.view(-1)[3] = 0.5  # an outlier in the first block
        yield name, weight
    flat = torch.randn(4, BLOCK, generator=generator(410))
    flat[0] = 0
    flat[1] = -0.75
    flat[2, ::2], flat[2, 1::2] = 1.0, -1.0
    yield "flat", flat
    for dtype in (torch.float16, torch.bfloat16):
        half = torch.randn(8, 96, generator=generator(420)).to(dtype)
        yield str(dtype).removeprefix("torch."), half


def fp8(weight):
    """Codes and scales of e4m3fn with a scale for each block: the greatest magnitude is 448."""
    flat = weight.float().flatten()
    blocks = torch.nn.functional.pad(flat, (0, -len(flat) % BLOCK)).view(-1, BLOCK)
    scale = blocks.abs().amax(1) / 448
    scale[scale == 0] = 1
    codes = (blocks / scale[:, None]).clamp(-448, 448).to(torch.float8_e4m3fn)
    values = (codes.float() * scale[:, None]).flatten()[: len(flat)].view(weight.shape)
    return codes.view(torch.uint8).flatten()[: len(flat)], scale, values


def export():
    tensors = {}
    for name, weight in weights():
        packed, state = quantize_4bit(weight, blocksize=BLOCK, quant_type="nf4")
        tensors[f"{name}.weight"] = weight
        tensors[f"{name}.nf4"] = packed.flatten()
        tensors[f"{name}.nf4.scale"] = state.absmax
        # Of its plain implementation: the native one for CPUs restarts blocks at each row.
        tensors[f"{name}.nf4.values"] = _dequantize_4bit_compute(
            packed.reshape(-1), state.absmax, state.code, BLOCK, weight.shape, torch.float32)
        tensors[f"{name}.fp8"], tensors[f"{name}.fp8.scale"], tensors[f"{name}.fp8.values"] = fp8(weight)
    write_case("quantised", tensors, block=BLOCK, bitsandbytes=bitsandbytes.__version__)
