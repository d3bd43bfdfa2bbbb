"""What every layer of a network makes of one image, and pictures of that. Loads without torch.

Nothing here changes a network or leaves anything on it: many visitors share each one.
"""

from __future__ import annotations

import copy
import functools
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw

from mnist_core.errors import InputError

if TYPE_CHECKING:
    import torch
    from torch import nn

IDLE = ("Dropout", "Dropout1d", "Dropout2d", "AlphaDropout", "FeatureAlphaDropout", "Identity")
WORDS = {
    "AvgPool2d": "average pooling",
    "BatchNorm2d": "batch normalisation",
    "Conv2d": "convolution",
    "Flatten": "flatten",
    "Linear": "linear layer",
    "MaxPool2d": "max pooling",
}
LAST, LINE = 254, 255  # of the palette: the last colour of the scale; the lines between channels
ZERO = LAST // 2
GAP = (128, 136, 146)
FRAME = (45, 212, 191)  # no colour of the scale
# Zero is dark, so that bright means strong, on a light page and on a dark one; cold is negative.
SCALE = ("#d6f0ff", "#5db4ee", "#1d6fb8", "#123a5e", "#10151c", "#5e3410", "#c2660c", "#f7a93b")
SCALE += ("#fff1c9",)


def feature_maps(model: nn.Module, image: torch.Tensor) -> dict[str, np.ndarray]:
    """Each stage's output for one image, in order; the first is the input, the last the logits.

    `image`: (1, channels, S, S) network input. Values: float32 without the batch, (C, H, W) or
    (N,). Keys: "input", then a chain's stages, or for a network with branches those of
    receptive_field.trace_fields. Computed in evaluation mode; stages that then change nothing,
    such as dropout, are left out. Raises InputError for more than one image at once.
    """
    import torch
    from torch import nn

    if image.ndim != 4 or len(image) != 1:
        raise InputError(f"image: (1, channels, S, S) is expected, not {tuple(image.shape)}")
    if model.training:
        model = copy.deepcopy(model).eval()
    maps = {"input": _as_array(image)}
    with torch.inference_mode():
        if not isinstance(model, nn.Sequential):
            return _along_graph(model, image, maps)
        for name, module in model._modules.items():  # named_children leaves repeated ones out
            image = module(image)
            if type(module).__name__ not in IDLE:
                maps[free_name(name, maps)] = _as_array(image)
    return maps


def _as_array(value: torch.Tensor) -> np.ndarray:
    """A copy without the batch: the next stage may work in place."""
    return np.array(value[0].numpy(force=True), dtype=np.float32)


def free_name(name: str, taken: dict[str, Any]) -> str:
    names = (name, *(f"{name}#{number}" for number in range(2, len(taken) + 3)))
    return next(candidate for candidate in names if candidate not in taken)


def _along_graph(
    model: nn.Module, image: torch.Tensor, maps: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Adds the value of every node of the network's graph that is a map."""
    import torch
    from torch import fx

    from mnist_core.receptive_field import trace_graph

    twin = copy.deepcopy(model)  # tracing touches modules that another thread may be using

    class Recorder(fx.Interpreter):
        def run_node(self, node: fx.Node) -> Any:
            value = super().run_node(node)
            module = twin.get_submodule(node.target) if node.op == "call_module" else None
            idle = type(module).__name__ in IDLE
            if node.op.startswith("call_") and isinstance(value, torch.Tensor) and not idle:
                name = node.target if module else node.name
                maps[free_name(name, maps)] = _as_array(value)
            return value

    Recorder(twin, graph=trace_graph(twin)).run(image)
    return maps


def kind_of(model: nn.Module, stage: str) -> str:
    """What a stage is, in words: "convolution 5×5", "SELU"; for a function its name."""
    if stage == "input":
        return "image"
    path = stage.split("#")[0]
    try:
        return _in_words(model.get_submodule(path))
    except AttributeError:
        return path.rstrip("_0123456789")


def _in_words(module: nn.Module) -> str:
    name = type(module).__name__
    words = WORDS.get(name, name)
    if name == "AdaptiveAvgPool2d":
        return "global average" if _pair(module.output_size) == (1, 1) else "adaptive average"
    if name in ("Conv2d", "MaxPool2d", "AvgPool2d"):
        words += " {}×{}".format(*_pair(module.kernel_size))
    if name == "Conv2d" and _pair(module.stride) != (1, 1):
        words += f", stride {_pair(module.stride)[0]}"
    return words


def _pair(value: Any) -> tuple[int, int]:
    return tuple(value) if isinstance(value, tuple | list) else (value, value)


@dataclass(frozen=True, eq=False)
class Tile:
    """One picture of a stage. Its colours run from `low` to `high`; in colour, zero is dark.

    indices: (height, width) uint8, into palette: (256, 3) uint8.
    """

    indices: np.ndarray
    palette: np.ndarray
    low: float
    high: float

    @property
    def pixels(self) -> np.ndarray:
        """(height, width, 3) uint8."""
        return self.palette[self.indices]

    def png(self) -> bytes:
        """The picture as a file."""
        return png(self.indices, self.palette)


def png(pixels: np.ndarray, palette: np.ndarray | None = None) -> bytes:
    """A lossless file of uint8 pixels: (h, w) grey, (h, w, 2) grey and opacity, or (h, w) places
    in a palette, (256, 3)."""
    image, file = Image.fromarray(pixels), io.BytesIO()
    if palette is not None:
        image.putpalette(palette.tobytes())
    image.save(file, "PNG", compress_level=1)
    return file.getvalue()


def first_kernels(model: nn.Module) -> tuple[str, np.ndarray] | None:
    """The first convolution's name and weights, (channels, kh, kw); None without one.

    One that reads several channels shows their mean.
    """
    for name, module in model.named_modules():
        if type(module).__name__ == "Conv2d":
            return name, module.weight.numpy(force=True).mean(axis=1)
    return None


def tile(
    maps: np.ndarray,
    width: int = 280,
    height: int = 280,
    *,
    grey: bool = False,
    limit: float | None = None,
) -> Tile:
    """All channels of one stage as one picture that is to be shown as it is, pixel by pixel.

    `maps`: (C, H, W) becomes a grid of channels, row by row; (N,) a strip of cells, wrapped, a
    quarter as high at most. Each value is a square of whole pixels, as large as fits into
    `width` × `height`. Values of both signs get colours centred on zero, cold and warm; values
    that are never negative go from dark to warm. `grey`: black for the lowest, white for the
    highest. `limit`: the colours end at ± this value, whatever the values.
    """
    maps = np.nan_to_num(np.asarray(maps, dtype=np.float32), posinf=0, neginf=0)
    largest = max(width, height)
    if maps.ndim == 2:
        maps = maps[None]
    elif maps.ndim != 3:
        maps, height, largest = maps.reshape(-1, 1, 1), height // 4, width // 10 - 2
    low, high = _range(maps, grey)
    if limit:
        low, high = (0.0, limit) if low == 0 else (-limit, limit)
        maps = maps.clip(low, high)
    start = ZERO if not grey and low == 0 else 0
    indices = np.rint(start + (maps - low) * ((LAST - start) / (high - low))).astype(np.uint8)
    return Tile(_grid(indices, width, height, largest), _palette(grey), low, high)


def outlined(
    values: np.ndarray, box: tuple[int, int, int, int], side: int = 256, *, grey: bool = False
) -> bytes:
    """A PNG of one channel, (h, w), enlarged to at most `side` pixels, with a frame around a part.

    `box`: (top, left, bottom, right) in values, bottom and right just outside. What of the frame
    lies beyond the channel is cut off.
    """
    factor = max(1, (side - 2) // max(values.shape))
    picture = Image.fromarray(tile(values, side, side, grey=grey).pixels)
    edge = (picture.height - factor * len(values)) // 2
    top, left, bottom, right = (at * factor + edge for at in box)
    pen, line = ImageDraw.Draw(picture), max(2, min(4, factor // 3))
    for grow, colour, width in ((1, (0, 0, 0), line + 2), (0, FRAME, line)):
        corners = (left - grow, top - grow, right - 1 + grow, bottom - 1 + grow)
        pen.rectangle(corners, outline=colour, width=width)
    return png(np.asarray(picture))


def _range(maps: np.ndarray, grey: bool) -> tuple[float, float]:
    """The values at the two ends of the colours; never the same."""
    low, high = float(maps.min()), float(maps.max())
    if not grey:
        low, high = (0.0, high) if low >= 0 else (-max(-low, high), max(-low, high))
    return (low, high) if high > low else (low, low + 1.0)


@functools.cache
def _palette(grey: bool) -> np.ndarray:
    """(256, 3) uint8: the scale from 0 to LAST, then the colour of the lines between channels."""
    names = ("#000000", "#ffffff") if grey else SCALE
    anchors = np.array([[int(name[i : i + 2], 16) for i in (1, 3, 5)] for name in names])
    places = np.linspace(0, LAST, len(anchors))
    channels = [np.interp(np.arange(LAST + 1), places, channel) for channel in anchors.T]
    return np.vstack([np.rint(np.stack(channels, axis=1)), GAP]).astype(np.uint8)


def colour_bar(width: int = 160, height: int = 10) -> Tile:
    """The colours themselves, from the most negative value to the most positive one."""
    row = np.linspace(0, LAST, width).astype(np.uint8)
    return Tile(np.repeat(row[None], height, axis=0), _palette(False), -1.0, 1.0)


def _grid(maps: np.ndarray, width: int, height: int, largest: int) -> np.ndarray:
    """(C, H, W) uint8 -> one picture (h, w) with a thin line around each channel."""
    count, rows, columns = maps.shape
    factor, across, gap = _layout(count, rows, columns, width, height, largest)
    large = maps.repeat(factor, axis=1).repeat(factor, axis=2)
    step_y, step_x = rows * factor + gap, columns * factor + gap
    down = -(-count // across)
    picture = np.full((down * step_y + gap, across * step_x + gap), LINE, np.uint8)
    for index, channel in enumerate(large):
        y, x = index // across * step_y + gap, index % across * step_x + gap
        picture[y : y + rows * factor, x : x + columns * factor] = channel
    return picture


def _layout(
    count: int, rows: int, columns: int, width: int, height: int, largest: int
) -> tuple[int, int, int]:
    """(pixels a value, channels side by side, width of the lines): the largest that fits.

    The channels are spread evenly over the rows of the picture.
    """
    factor = max(1, min(largest, width // columns))
    while True:
        gap = int(factor * max(rows, columns) >= 4)
        across = max(1, (width - gap) // (columns * factor + gap))
        down = -(-count // across)
        if factor == 1 or down * (rows * factor + gap) + gap <= height:
            return factor, -(-count // down), gap
        factor -= 1
