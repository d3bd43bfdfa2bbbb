"""Digits as pen strokes, and photographs of them in ink on paper: input for tests of drawings.

Needs numpy and Pillow only. Every random choice comes from the generator that is passed in, so a
seed is a picture.
"""

import io

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

Colour = tuple[int, int, int, int]
BLACK, WHITE, CLEAR = (0, 0, 0, 255), (255, 255, 255, 255), (0, 0, 0, 0)
SIZES = (0.15, 0.3, 0.5, 0.7, 0.9)  # height of the digit / height of the canvas
STROKES = (0.06, 0.10, 0.16)  # width of the pen / height of the digit
POSITIONS = tuple((x, y) for y in (0.0, 0.5, 1.0) for x in (0.0, 0.5, 1.0))  # of the free room


def arc(cx: float, cy: float, rx: float, ry: float, start: float, stop: float) -> list[tuple]:
    """Points on an ellipse; degrees, 0 to the right, growing clockwise as seen on the screen."""
    angles = np.radians(np.linspace(start, stop, 24))
    return [(cx + rx * np.cos(a), cy + ry * np.sin(a)) for a in angles]


# Each digit: its strokes, as points (x right, y down), about one unit high; in the American hand.
TEMPLATES: dict[int, list[list[tuple]]] = {
    0: [arc(0.35, 0.5, 0.32, 0.5, -90, 270)],
    1: [[(0.42, 0.0), (0.30, 1.0)]],
    2: [arc(0.33, 0.28, 0.31, 0.28, -165, 35) + [(0.05, 1.0), (0.70, 0.97)]],
    3: [arc(0.28, 0.25, 0.30, 0.25, -150, 85) + arc(0.28, 0.74, 0.34, 0.26, -85, 150)],
    4: [[(0.12, 0.0), (0.02, 0.52), (0.66, 0.52)], [(0.58, 0.05), (0.52, 1.0)]],
    5: [[(0.64, 0.0), (0.14, 0.03), (0.09, 0.45)] + arc(0.28, 0.70, 0.34, 0.30, -120, 150)],
    6: [[(0.50, 0.0), (0.18, 0.35)] + arc(0.32, 0.70, 0.28, 0.30, 190, 550)],
    7: [[(0.0, 0.04), (0.62, 0.0), (0.24, 1.0)]],
    8: [arc(0.34, 0.24, 0.25, 0.24, 90, 450) + arc(0.34, 0.74, 0.31, 0.26, -90, 270)],
    9: [arc(0.32, 0.28, 0.28, 0.28, 0, -360) + [(0.60, 0.28), (0.54, 1.0)]],
}


def strokes(
    digit: int,
    rng: np.random.Generator | None = None,
    template: list[list[tuple]] | None = None,
) -> list[np.ndarray]:
    """The digit's strokes, (points, 2) arrays of x, y in a box of height 1 that starts at 0, 0.

    With `rng` they are slanted, turned, stretched and bent a little, as if by another hand.
    `template`: strokes to take in place of the digit's own.
    """
    lines = [np.asarray(line, float) for line in template or TEMPLATES[digit]]
    if rng is not None:
        slant, turn = rng.normal(0, 0.12), rng.normal(0, 0.06)
        shape = np.array([[rng.uniform(0.8, 1.15), -slant + turn], [-turn, 1.0]])
        wave, phase = rng.normal(0, 0.015, 2), rng.uniform(0, 6.3, 2)
        lines = [p @ shape.T + wave * np.sin(5 * p[:, ::-1] + phase) for p in lines]
    low = np.min([p.min(0) for p in lines], 0)
    high = np.max([p.max(0) for p in lines], 0)
    return [(p - low) / (high - low)[1] for p in lines]


def placed_strokes(
    digit: int,
    canvas: int = 400,
    size: float = 0.6,
    position: tuple[float, float] = (0.5, 0.5),
    stroke: float = 0.10,
    rng: np.random.Generator | None = None,
) -> tuple[list[np.ndarray], float]:
    """The strokes and the pen's width in canvas pixels: what a mouse would have to follow.

    `size`: height of the finished digit, pen included, as a share of the canvas; `stroke`: the
    pen's width as a share of that height; `position`: where in the free room, 0..1 each way.
    """
    height, width = size * canvas, stroke * size * canvas
    lines = [p * (height - width) for p in strokes(digit, rng)]
    extent = np.max([p.max(0) for p in lines], 0) + width
    corner = (canvas - extent) * np.asarray(position) + width / 2
    return [p + corner for p in lines], width


def ink_mask(lines: list[np.ndarray], width: float, canvas: int, finer: int = 3) -> Image.Image:
    """Coverage by a round pen, an L image (255 = ink): drawn `finer` times larger, averaged."""
    large = Image.new("L", (canvas * finer, canvas * finer))
    pen, radius = ImageDraw.Draw(large), width * finer / 2
    for line in lines:
        points = [tuple(p) for p in line * finer]
        pen.line(points, fill=255, width=max(1, round(2 * radius)), joint="curve")
        for x, y in points:
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return large.reduce(finer)


def draw(
    digit: int, *, ink: Colour = BLACK, background: Colour = CLEAR, canvas: int = 400, **placing
) -> np.ndarray:
    """A drawn digit as the canvas component returns it: (canvas, canvas, 4) uint8 RGBA."""
    lines, width = placed_strokes(digit, canvas, **placing)
    return paint(ink_mask(lines, width, canvas), ink, background)


def paint(mask: Image.Image, ink: Colour = BLACK, background: Colour = CLEAR) -> np.ndarray:
    """(h, w, 4) uint8: `mask` (L, 255 = ink) in one colour over another."""
    over = Image.new("RGBA", mask.size, ink[:3] + (0,))
    over.putalpha(ImageChops.multiply(mask, Image.new("L", mask.size, ink[3])))
    return np.asarray(Image.alpha_composite(Image.new("RGBA", mask.size, background), over))


def enlarge(digit: np.ndarray, height: int = 224, thicken: float = 0.0) -> Image.Image:
    """A (28, 28) MNIST image as a sharp L mask of `height` pixels.

    Its strokes are `thicken` MNIST pixels wider.
    """
    grey = Image.fromarray(digit).resize((height, height), Image.Resampling.BICUBIC)
    mask = grey.point(lambda value: 255 * (value >= 128))
    reach = round(abs(thicken) * height / 28 / 2)
    for _ in range(reach):  # a 3×3 filter moves the edge by one pixel
        mask = mask.filter(ImageFilter.MaxFilter(3) if thicken > 0 else ImageFilter.MinFilter(3))
    return mask


def photograph(
    mask: Image.Image, rng: np.random.Generator, side: int | None = None, tilt: float = 4.0
) -> bytes:
    """A JPEG of the ink in `mask` (L, 255 = ink) on paper, as a phone would have taken it.

    Random: longer side (90 to 2000 pixels, unless given), shade and tint of paper and ink, place,
    height (25–80 % of the shorter side) and tilt of the digit (standard deviation in degrees),
    gradient of the light, a shadow's edge (every second time), blur, noise, JPEG quality.
    """
    side = side or int(np.exp(rng.uniform(np.log(90), np.log(2000))))
    w, h = (side, int(side * rng.uniform(0.7, 1)))[:: rng.choice((-1, 1))]
    coverage = np.asarray(_placed(mask, w, h, tilt, rng), np.float32)[..., None] / 255
    paper = rng.uniform(150, 250) * rng.uniform(0.93, 1, 3).astype(np.float32)
    ink = rng.uniform(15, 80) * rng.uniform(0.6, 1.3, 3).astype(np.float32)
    light = _light(w, h, rng)[..., None]
    scene = (paper + coverage * (ink - paper)) * light
    soft = Image.fromarray(np.clip(scene, 0, 255).astype(np.uint8)).filter(
        ImageFilter.GaussianBlur(rng.uniform(0, 0.006) * side)
    )
    noise = rng.uniform(0, 6) * rng.standard_normal((h, w, 1), np.float32)
    grain = np.clip(np.asarray(soft, np.float32) + noise, 0, 255).astype(np.uint8)
    return encode(Image.fromarray(grain), "JPEG", quality=int(rng.integers(50, 96)))


def encode(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    """The image as the bytes of a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def alike(a: np.ndarray, b: np.ndarray) -> float:
    """Correlation of two images at the best of nine shifts of up to one pixel.

    A hair's breadth can make a centre of mass round the other way.
    """
    shifts = [np.roll(a, (y, x), (0, 1)) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    return max(np.corrcoef(shifted.ravel(), b.ravel())[0, 1] for shifted in shifts)


def _placed(
    mask: Image.Image, w: int, h: int, tilt: float, rng: np.random.Generator
) -> Image.Image:
    """The ink of `mask`, turned, scaled and set at random inside w × h."""
    digit = mask.rotate(rng.normal(0, tilt), Image.Resampling.BICUBIC, expand=True)
    digit = digit.crop(digit.point(lambda value: 255 * (value >= 64)).getbbox())
    scale = rng.uniform(0.25, 0.8) * min(w, h) / max(digit.size)
    size = [max(2, round(length * scale)) for length in digit.size]
    page = Image.new("L", (w, h))
    margin = 0.04 * min(w, h)
    corner = [
        int(rng.uniform(margin, room - length - margin))
        for room, length in zip((w, h), size, strict=True)
    ]
    page.paste(digit.resize(size, Image.Resampling.LANCZOS), corner)
    return page


def _light(w: int, h: int, rng: np.random.Generator) -> np.ndarray:
    """(h, w) float32 factors: a gradient of up to 45 %, and every second time a shadow's edge."""
    y, x = np.mgrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    light = 1 - rng.uniform(0, 0.45) * (0.5 + 0.35 * (x * np.cos(angle) + y * np.sin(angle)))
    if rng.random() < 0.5:
        angle, offset = rng.uniform(0, 2 * np.pi), rng.uniform(-0.7, 0.7)
        softness = rng.uniform(0.005, 0.15)
        across = (x * np.cos(angle) + y * np.sin(angle) - offset) / softness
        light *= 1 - rng.uniform(0.2, 0.6) / (1 + np.exp(np.clip(-across, -30, 30)))
    return light
