"""The random changes of training images as the lines of Python that make them."""

from __future__ import annotations

from mnist_core.config import RunConfig
from mnist_core.data.augment import MARGIN, MOVES, SMOOTHNESS, SPACING, changes_images

MIRROR = """    chosen = (torch.rand(count) < {flip:g})[:, None, None, None]
    images = torch.where(chosen, images.flip(3), images)
"""
TURN = """    angle, right, down = torch.rand(3, count).mul(2).sub(1)
    angle = angle * math.radians({rotation:g})
    right, down = (place * {shift:g} * 2 / side for place in (right, down))
    a, b, c, d = angle.cos(), -angle.sin(), angle.sin(), angle.cos()
"""
STRETCH = """    zoom, slant = torch.rand(2, count).mul(2).sub(1)
    lean, size = (slant * math.radians({shear:g})).tan(), 1 + zoom * {zoom:g}
    a, b, c, d = (a + lean * c) / size, (b + lean * d) / size, c / size, d / size
"""
PLACES = """    rows = [a, b, -a * right - b * down, c, d, -c * right - d * down]
    moves = torch.stack(rows, 1).view(-1, 2, 3)
"""
STILL = "    moves = torch.eye(2, 3).expand(count, 2, 3)\n"
GRID = "    grid = F.affine_grid(moves, list(images.shape), align_corners=False)\n"
BEND = f"""    points = torch.arange(-{MARGIN}, side + {MARGIN}, {SPACING})
    apart = torch.arange(side)[:, None] - points
    smooth = torch.exp(-(apart**2) / {2 * SMOOTHNESS**2:g})
    smooth = smooth / smooth.norm(dim=1, keepdim=True)
    arrows = smooth @ torch.randn(count, 2, len(points), len(points)) @ smooth.T
    grid = grid + {{elastic:g}} * 2 / side * arrows.permute(0, 2, 3, 1)
"""
SAMPLE = "    images = F.grid_sample(images, grid, align_corners=False)\n"
CUT = """    first, places = torch.randint(0, side, (2, count, 1)) - {half}, torch.arange(side)
    rows, columns = (places >= first) & (places < first + {cutout})
    images = images.masked_fill(rows[:, None, :, None] & columns[:, None, None, :], 0)
"""


def augment_source(config: RunConfig) -> str:
    """A function `changed` that does what data.augment does; "" where images stay as they are."""
    if not changes_images(config):
        return ""
    moves = any(getattr(config, name) for name in MOVES)
    parts = [
        MIRROR if config.flip else "",
        TURN if moves else "",
        STRETCH if config.zoom or config.shear else "",
        PLACES if moves else STILL if config.elastic else "",
        GRID if moves or config.elastic else "",
        BEND if config.elastic else "",
        SAMPLE if moves or config.elastic else "",
        CUT if config.cutout else "",
    ]
    body = "".join(parts).format(half=config.cutout // 2, **config.to_dict())
    return (
        "\ndef changed(images):\n"
        f'    """Each image {_words(config)}, at random."""\n'
        "    count, side = len(images), images.shape[-1]\n"
        f"{body}    return images\n\n"
    )


def _words(config: RunConfig) -> str:
    """What happens to an image: "turned, shifted"."""
    words = {
        "flip": "mirrored",
        "zoom": "zoomed",
        "shear": "slanted",
        "rotation": "turned",
        "shift": "shifted",
        "elastic": "bent",
        "cutout": "with a square cut out",
    }
    return ", ".join(word for name, word in words.items() if getattr(config, name))
