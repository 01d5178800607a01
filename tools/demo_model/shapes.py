"""Signed-distance-like fields of the eight shapes: negative inside, zero on the edge."""

import math

import torch


def _circle(x, y, r):
    return (x * x + y * y).sqrt() - r


def _ring(x, y, r):
    return ((x * x + y * y).sqrt() - r * 0.78).abs() - r * 0.22


def _square(x, y, r):
    return torch.maximum(x.abs(), y.abs()) - r * 0.86


def _diamond(x, y, r):
    return (x.abs() + y.abs() * 0.8) - r


def _cross(x, y, r):
    upright = torch.maximum(x.abs() - r * 0.3, y.abs() - r)
    lying = torch.maximum(y.abs() - r * 0.3, x.abs() - r)
    return torch.minimum(upright, lying)


def _triangle(x, y, r):
    return torch.maximum(x.abs() * 0.866 - (y + r) * 0.5, y - r * 0.5)


def _star(x, y, r):
    # Fold the plane onto one tip, then take the line from the tip (r, 0) to the inner corner,
    # which lies half a sector further at 0.45 r.
    sector = 2 * torch.pi / 5
    angle = (torch.atan2(x, -y) + sector / 2) % sector - sector / 2
    distance = (x * x + y * y).sqrt()
    px, py = distance * torch.cos(angle), distance * torch.sin(angle).abs()
    inner_x, inner_y = 0.45 * r * math.cos(math.pi / 5), 0.45 * r * math.sin(math.pi / 5)
    normal_x, normal_y = inner_y, r - inner_x
    return ((px - r) * normal_x + py * normal_y) / math.hypot(normal_x, normal_y)


def _heart(x, y, r):
    u = x.abs() / r
    v = -(y / r) + 0.15
    lobe = 0.62 * (u * 1.15).clamp(min=1e-6) ** 0.8
    return ((u * 1.15) ** 2 + (v * 1.15 - lobe) ** 2 - 1) * r * 0.5


FIELDS = {
    "circle": _circle,
    "square": _square,
    "triangle": _triangle,
    "star": _star,
    "heart": _heart,
    "ring": _ring,
    "diamond": _diamond,
    "cross": _cross,
}
