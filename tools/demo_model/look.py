"""What a picture shows: the colours of a scene's background and things, and a thing's outline."""

import torch

from scenes import COLOURS, Scene, draw, mask

NAMES = list(COLOURS)
PALETTE = torch.tensor(list(COLOURS.values())).float()


def nearest_colour(rgb: torch.Tensor) -> str:
    """Name of the colour nearest to an [3] tensor of 0..255."""
    return NAMES[int((PALETTE - rgb).square().sum(dim=1).argmin())]


def _median_colour(image, where):
    return nearest_colour(image[:, where].median(dim=1).values)


def background_colour(scene: Scene, image: torch.Tensor) -> str:
    """Colour of what lies well outside every thing and its shadow."""
    size = image.shape[-1]
    outside = torch.ones(size, size, dtype=torch.bool)
    for thing in scene.things:
        outside &= ~mask(thing, size, margin=0.12)
    if not outside.any():
        raise ValueError(f"nothing of the background is left in: {scene.caption}")
    return _median_colour(image, outside)


def thing_colours(scene: Scene, image: torch.Tensor) -> list[str]:
    """Colour inside each drawn mask, in the scene's order."""
    size = image.shape[-1]
    return [_median_colour(image, mask(thing, size, margin=-0.02)) for thing in scene.things]


def overlap(scene: Scene, image: torch.Tensor) -> float:
    """Intersection over union of a single thing's drawn mask and the picture's.

    The picture's mask is every pixel nearer to the thing's colour than to the background's, both
    as the exact drawing has them there, light included.
    """
    (thing,) = scene.things
    size = image.shape[-1]
    empty = Scene(scene.caption, scene.background, ())
    bare = (draw(empty, size) + 1) * 127.5
    filled = (draw(Scene(scene.caption, thing.colour, ()), size) + 1) * 127.5
    to_thing = (image - filled).square().sum(dim=0)
    to_background = (image - bare).square().sum(dim=0)
    seen, drawn = to_thing < to_background, mask(thing, size)
    return float((seen & drawn).sum() / (seen | drawn).sum().clamp(min=1))
