"""Maps and images as PNGs: many in a grid, enlarged without smoothing, on one colour scale."""

import functools
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

LAST, LINE = 254, 255  # of the palette: the last colour of the scale; the lines between channels
ZERO = LAST // 2
GAP = (128, 136, 146)
FRAME = (45, 212, 191)  # no colour of the scale
# Zero is dark, so that bright means strong, on a light page and on a dark one; cold is negative.
SCALE = (
    *("#d6f0ff", "#5db4ee", "#1d6fb8", "#123a5e"),
    "#10151c",
    *("#5e3410", "#c2660c", "#f7a93b", "#fff1c9"),
)


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


def enlarged(image: np.ndarray, factor: int) -> np.ndarray:
    """(h, w, ...) -> (h·factor, w·factor, ...): every pixel becomes a square."""
    return image.repeat(factor, axis=0).repeat(factor, axis=1)


def squared(image: np.ndarray, side: int) -> np.ndarray:
    """(h, w) uint8 -> (side, side, 2) uint8, grey and opacity: the image fills the middle.

    A small image is enlarged by a whole factor, so that its pixels are squares.
    """
    large = Image.fromarray(enlarged(image, max(1, side // max(image.shape))))
    large.thumbnail((side, side), Image.Resampling.BOX)
    square = Image.new("LA", (side, side))
    square.paste(large.convert("LA"), ((side - large.width) // 2, (side - large.height) // 2))
    return np.asarray(square)


def in_rows(values: np.ndarray, columns: int) -> np.ndarray:
    """(N,) -> (rows, at most `columns`), filled up with NaN."""
    columns = min(columns, len(values))
    missing = -len(values) % columns
    return np.append(values, np.full(missing, np.nan)).reshape(-1, columns)


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
    indices, low, high = colour_indices(maps, grey=grey, limit=limit)
    return Tile(_grid(indices, width, height, largest), scale_colours(grey), low, high)


def colour_indices(
    values: np.ndarray, *, grey: bool = False, limit: float | None = None
) -> tuple[np.ndarray, float, float]:
    """Values -> (uint8 places in the palette, the lowest and the highest value of the scale).

    As `tile` colours them.
    """
    low, high = _range(values, grey)
    if limit:
        low, high = (0.0, limit) if low == 0 else (-limit, limit)
        values = values.clip(low, high)
    start = ZERO if not grey and low == 0 else 0
    places = np.rint(start + (values - low) * ((LAST - start) / (high - low)))
    return places.astype(np.uint8), low, high


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
def scale_colours(grey: bool) -> np.ndarray:
    """(256, 3) uint8: the scale from 0 to LAST, then the colour of the lines between channels."""
    names = ("#000000", "#ffffff") if grey else SCALE
    anchors = np.array([[int(name[i : i + 2], 16) for i in (1, 3, 5)] for name in names])
    places = np.linspace(0, LAST, len(anchors))
    channels = [np.interp(np.arange(LAST + 1), places, channel) for channel in anchors.T]
    return np.vstack([np.rint(np.stack(channels, axis=1)), GAP]).astype(np.uint8)


def _grid(maps: np.ndarray, width: int, height: int, largest: int) -> np.ndarray:
    """(C, H, W) uint8 -> one picture (h, w) with a thin line around each channel."""
    count, rows, columns = maps.shape
    factor, across, gap = _layout(count, rows, columns, width, height, largest)
    step_y, step_x = rows * factor + gap, columns * factor + gap
    down = -(-count // across)
    picture = np.full((down * step_y + gap, across * step_x + gap), LINE, np.uint8)
    for index, channel in enumerate(maps):
        y, x = index // across * step_y + gap, index % across * step_x + gap
        picture[y : y + rows * factor, x : x + columns * factor] = enlarged(channel, factor)
    return picture


def _layout(
    count: int, rows: int, columns: int, width: int, height: int, largest: int
) -> tuple[int, int, int]:
    """(pixels a value, channels side by side, width of the lines): the largest that fits.

    The channels are spread evenly over the rows of the picture.
    """
    for factor in range(max(1, min(largest, width // columns)), 0, -1):
        gap = int(factor * max(rows, columns) >= 4)
        across = max(1, (width - gap) // (columns * factor + gap))
        down = -(-count // across)
        if down * (rows * factor + gap) + gap <= height:
            break
    return factor, -(-count // down), gap
