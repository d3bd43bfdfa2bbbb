"""How far apart two colours look, also to people who see no red or no green."""

import numpy as np

# Linear sRGB as somebody sees it: G. M. Machado, M. M. Oliveira, L. A. F. Fernandes: A
# physiologically-based model for simulation of color vision deficiency. 2009, severity 1.
VISIONS = {
    "usual": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}
XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
WHITE = XYZ.sum(axis=1)  # D65


def rgb(name: str) -> np.ndarray:
    """Linear red, green and blue, 0 to 1, of a colour such as "#2d7d70"."""
    values = np.array([int(name[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def contrast(one: np.ndarray, other: np.ndarray) -> float:
    """WCAG's ratio of contrast, 1 to 21."""
    low, high = sorted(float(XYZ[1] @ each) + 0.05 for each in (one, other))
    return high / low


def lab(linear: np.ndarray, vision: str) -> np.ndarray:
    """CIELAB of a linear colour, as people of this vision see it."""
    ratios = XYZ @ np.clip(VISIONS[vision] @ linear, 0, 1) / WHITE
    bent = np.where(ratios > (6 / 29) ** 3, np.cbrt(ratios), ratios * 841 / 108 + 4 / 29)
    x, y, z = bent
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """CIEDE2000 of two CIELAB colours."""
    mean_chroma = (np.hypot(*one[1:]) + np.hypot(*other[1:])) / 2
    stretch = 1.5 - 0.5 * _saturation(mean_chroma)
    (l1, c1, h1), (l2, c2, h2) = (_polar(each, stretch) for each in (one, other))
    turn = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0.0
    hue = h1 + turn / 2 if c1 * c2 else h1 + h2
    lightness, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    waves = ((-0.17, 1, -30), (0.24, 2, 0), (0.32, 3, 6), (-0.20, 4, -63))
    wave = 1 + sum(size * _cos(times * hue + shift) for size, times, shift in waves)
    squared = (lightness - 50) ** 2
    by_lightness = (l2 - l1) / (1 + 0.015 * squared / np.sqrt(20 + squared))
    by_chroma = (c2 - c1) / (1 + 0.045 * chroma)
    by_hue = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2)) / (1 + 0.015 * chroma * wave)
    blue = 30 * np.exp(-(((hue % 360 - 275) / 25) ** 2))
    rotation = -2 * _saturation(chroma) * np.sin(np.radians(2 * blue))
    return float(
        np.sqrt(by_lightness**2 + by_chroma**2 + by_hue**2 + rotation * by_chroma * by_hue)
    )


def _saturation(chroma: float) -> float:
    return float(np.sqrt(chroma**7 / (chroma**7 + 25.0**7)))


def _polar(colour: np.ndarray, stretch: float) -> tuple[float, float, float]:
    """Lightness, chroma and hue in degrees, with the axis from green to red stretched."""
    lightness, a, b = colour[0], colour[1] * stretch, colour[2]
    return lightness, float(np.hypot(a, b)), float(np.degrees(np.arctan2(b, a)) % 360)


def _cos(degrees: float) -> float:
    return float(np.cos(np.radians(degrees)))
