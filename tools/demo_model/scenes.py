"""Scenes for the demo model: coloured shapes on a coloured background.

A scene is one description from which the caption and the picture both come. The same grammar
serves training (prepare_latents.py) and the acceptance check (check.py); `is_held_out` keeps the
two apart by what is in the picture, not by how the caption words it.
"""

import random
import zlib
from dataclasses import dataclass

import torch

from shapes import FIELDS

COLOURS = {
    "red": (214, 48, 49),
    "orange": (240, 140, 40),
    "yellow": (250, 208, 60),
    "green": (46, 160, 80),
    "blue": (45, 100, 220),
    "purple": (130, 70, 190),
    "pink": (240, 130, 175),
    "white": (245, 245, 245),
    "black": (25, 25, 28),
    "grey": (140, 145, 150),
}
SHAPES = list(FIELDS)
SIZES = {"small": 0.17, "": 0.26, "large": 0.36}
PLACES = {
    "": (0, 0),
    "on the left": (-0.38, 0),
    "on the right": (0.38, 0),
    "at the top": (0, -0.38),
    "at the bottom": (0, 0.38),
}
KINDS = {"one": 0.6, "several": 0.15, "two": 0.25}
HELD_OUT_SHARE = 20  # one scene in so many is never trained on


@dataclass(frozen=True)
class Thing:
    shape: str
    colour: str
    radius: float
    x: float
    y: float


@dataclass(frozen=True)
class Scene:
    caption: str
    background: str
    things: tuple[Thing, ...]


def is_held_out(scene: Scene) -> bool:
    """True for the scenes kept for checking, whatever words describe them."""
    content = repr((scene.background, scene.things))
    return zlib.crc32(content.encode()) % HELD_OUT_SHARE == 0


def describe(rng: random.Random, kinds: dict[str, float] = KINDS) -> Scene:
    """One random scene; `kinds` weighs one thing, several alike, and two different ones."""
    background = rng.choice(list(COLOURS))
    kind = rng.choices(list(kinds), weights=list(kinds.values()))[0]
    body, things = {"one": _one, "several": _several, "two": _two}[kind](rng, background)
    caption = body + _background_words(rng, background)
    if rng.random() < 0.1:
        caption = rng.choice(["a picture of ", "a drawing of ", "an image of "]) + caption
    return Scene(caption, background, tuple(things))


def _article(word):
    return "an" if word[0] in "aeiou" else "a"


def _background_words(rng, colour):
    return rng.choice(
        [f" on {_article(colour)} {colour} background", f" on {colour}", f", {colour} background"]
    )


def _shape_and_colour(rng, background):
    colour = rng.choice([c for c in COLOURS if c != background])
    return rng.choice(SHAPES), colour


def _one(rng, background):
    shape, colour = _shape_and_colour(rng, background)
    size = rng.choice(["", "", "small", "large"])
    place = rng.choice(["", "", ""] + [p for p in PLACES if p])
    x, y = PLACES[place]
    words = [_article(size or colour), size, colour, shape, place]
    return " ".join(w for w in words if w), [Thing(shape, colour, SIZES[size] * 1.9, x, y)]


def _several(rng, background):
    count = rng.choice([2, 3])
    shape, colour = _shape_and_colour(rng, background)
    xs, radius = {2: ((-0.45, 0.45), 0.36), 3: ((-0.62, 0, 0.62), 0.27)}[count]
    word, plural = {2: "two", 3: "three"}[count], "es" if shape == "cross" else "s"
    return f"{word} {colour} {shape}{plural}", [Thing(shape, colour, radius, x, 0) for x in xs]


def _two(rng, background):
    (shape, colour), (other, tint) = (_shape_and_colour(rng, background) for _ in range(2))
    beside = rng.choice([True, False])
    relation = rng.choice(["to the left of", "and", "next to"]) if beside else "above"
    x, y = (0.45, 0) if beside else (0, 0.45)
    body = f"{_article(colour)} {colour} {shape} {relation} {_article(tint)} {tint} {other}"
    return body, [Thing(shape, colour, 0.38, -x, -y), Thing(other, tint, 0.38, x, y)]


def _grid(size):
    line = (torch.arange(size) + 0.5) / size * 2 - 1
    y, x = torch.meshgrid(line, line, indexing="ij")
    return x, y


def _rgb(colour):
    return torch.tensor(COLOURS[colour]).view(3, 1, 1) / 255.0


def draw(scene: Scene, size: int = 128, jitter: random.Random | None = None) -> torch.Tensor:
    """The picture, [3, size, size] in [-1, 1]: antialiased, lit from the top left, soft shadows.

    `jitter` moves and resizes each thing a little, as a drawing hand would; None draws it exactly.
    """
    x, y = _grid(size)
    image = _rgb(scene.background) * (1 - 0.05 * (x + y))
    for thing in scene.things:
        offset = [(jitter.random() - 0.5) if jitter else 0.0 for _ in range(3)]
        u, v = x - thing.x, y - thing.y
        jx, jy = offset[0] * 0.08, offset[1] * 0.08
        radius = thing.radius * (1 + offset[2] * 0.12)
        shadow = FIELDS[thing.shape](u - jx - 0.035, v - jy - 0.05, radius)
        image = image * (1 - 0.28 * torch.sigmoid(-shadow * 35))
        edge = FIELDS[thing.shape](u - jx, v - jy, radius)
        cover = torch.sigmoid(-edge * size * 0.9)
        image = image * (1 - cover) + _rgb(thing.colour) * (1 - 0.16 * (u + v)) * cover
    return image.clamp(0, 1) * 2 - 1


def mask(thing: Thing, size: int = 128, margin: float = 0.0) -> torch.Tensor:
    """Where the thing is when drawn exactly, [size, size] bool; `margin` > 0 widens it."""
    x, y = _grid(size)
    return FIELDS[thing.shape](x - thing.x, y - thing.y, thing.radius) < margin
