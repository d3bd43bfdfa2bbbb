"""Parts digits that touch: several cuts are tried, and whoever reads digits says which is best.

A cut runs from top to bottom where there is least ink to cross. Between any two cuts lies what may
be one digit; `score` tells how much each looks like one, and the best way to part the whole is
found by dynamic programming (as in Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-based
learning applied to document recognition, 1998, section V). Needs numpy and Pillow only.
"""

from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

from mnist_core.imaging.morphology import box
from mnist_core.imaging.preprocess import centre, crop, fit

# (N, 28, 28) uint8 -> (N,): log-probability that each is a digit which the network knows
Score = Callable[[np.ndarray], np.ndarray]

WHOLE = float(np.log(0.9))  # what is a digit with at least this probability is left whole
PART = float(np.log(0.55))  # each part is a digit with at least this probability
NARROW = 0.9  # width / height: what is narrower is one digit, or a letter
STEP = 0.1  # of the height: the distance of the places where a cut is tried
REACH = 0.18  # of the height: how far a cut may bend away from its place
WORK_HEIGHT = 48  # pixels: cuts are looked for in ink of this height
MOST = 40  # cuts
AIR = 0.02  # cost of a pixel without ink, of one full of it: short cuts are better than long ones
WIDEST = 1.3  # width / height of a digit
EACH = 0.5  # log-probability that another digit costs
SHORTEST = 0.35  # of the whole's height
LEAST = 0.06  # of the whole's ink


def parted(ink: np.ndarray, score: Score) -> list[np.ndarray]:
    """The digits in (h, w) uint8 ink, from left to right, each as the ink of it, in its place.

    Only the ink itself where it is narrow, looks like a digit, or cannot be parted into what does:
    letters and scribbles stay whole.
    """
    height, width = ink.shape
    if width < NARROW * height or (whole := float(score(_image(ink)[None])[0])) > WHOLE:
        return [ink]
    cuts = _cuts(ink)
    pieces = _pieces(ink, cuts)
    if not pieces:
        return [ink]
    scores = score(np.stack([_image(piece) for piece in pieces.values()])).tolist()
    values = {step: value for step, value in zip(pieces, scores, strict=True) if value > PART}
    best, steps = _best(len(cuts) + 1, {step: value - EACH for step, value in values.items()})
    return [pieces[step] for step in steps] if best > whole - EACH else [ink]


def _image(ink: np.ndarray) -> np.ndarray:
    return centre(fit(crop(ink)))


def _cuts(ink: np.ndarray) -> list[np.ndarray]:
    """Cuts from left to right: of each row, (h,), the column where the right side begins."""
    height, width = ink.shape
    scale = min(1.0, WORK_HEIGHT / height)
    size = (max(2, round(width * scale)), max(2, round(height * scale)))
    small = np.asarray(Image.fromarray(ink).resize(size, Image.Resampling.BOX), np.float32) / 255
    places = np.arange(0.15, size[0] / size[1] - 0.1, STEP)[:MOST] * size[1]
    found: dict[bytes, np.ndarray] = {}
    for place in places:
        cut = _cheapest(small, place, REACH * size[1])
        found.setdefault(cut.tobytes(), cut)
    cuts = sorted(found.values(), key=lambda cut: float(cut.mean()))
    rows = (np.arange(height) * size[1] // height).clip(0, size[1] - 1)
    return [np.rint((cut[rows] + 0.5) * width / size[0]).astype(int) for cut in cuts]


def _cheapest(ink: np.ndarray, place: float, reach: float) -> np.ndarray:
    """The path down (h, w) ink, at most `reach` from `place`, that crosses least: (h,) columns."""
    height, width = ink.shape
    columns = np.arange(width)
    away = np.abs(columns - place)
    cost = ink + AIR * (1 + away / max(reach, 1)) + np.where(away > reach, 1e3, 0)
    total, came = cost[0].copy(), np.zeros((height, width), np.int64)
    for row in range(1, height):
        around = np.pad(total, 1, constant_values=np.inf)
        options = np.stack([around[:-2] + 0.01, around[1:-1], around[2:] + 0.01])
        choice = options.argmin(0)
        came[row] = columns + choice - 1
        total = options.min(0) + cost[row]
    path = np.empty(height, np.int64)
    path[-1] = total.argmin()
    for row in range(height - 1, 0, -1):
        path[row - 1] = came[row, path[row]]
    return path


def _pieces(ink: np.ndarray, cuts: Sequence[np.ndarray]) -> dict[tuple[int, int], np.ndarray]:
    """What lies between each two cuts, by their numbers; 0 is the left end. Scraps are left out,
    and what is too wide for one digit."""
    height, width = ink.shape
    ends = [np.zeros(height, int), *cuts, np.full(height, width)]
    columns, whole = np.arange(width), int(ink.sum(dtype=np.int64))
    pieces = {}
    for a in range(len(ends) - 1):
        for b in range(a + 1, len(ends)):
            if (a, b) == (0, len(ends) - 1):
                continue
            there = (columns >= ends[a][:, None]) & (columns < ends[b][:, None])
            piece = np.where(there, ink, 0).astype(np.uint8)
            if piece.sum(dtype=np.int64) > LEAST * whole and _may_be_digit(piece):
                pieces[a, b] = piece
    return pieces


def _may_be_digit(piece: np.ndarray) -> bool:
    dark = piece > 64
    if not dark.any():
        return False
    rows, columns = box(dark)
    high, wide = rows.stop - rows.start, columns.stop - columns.start
    return bool(high > SHORTEST * len(piece) and wide < WIDEST * high)


def _best(count: int, values: dict[tuple[int, int], float]) -> tuple[float, list[tuple[int, int]]]:
    """The highest sum of values of steps from end 0 to end `count`, and these steps."""
    reached: list[tuple[float, list[tuple[int, int]]]] = [(0.0, [])]
    for end in range(1, count + 1):
        options = [
            (reached[start][0] + values[start, end], [*reached[start][1], (start, end)])
            for start in range(end)
            if (start, end) in values
        ]
        reached.append(max(options, key=lambda option: option[0], default=(-np.inf, [])))
    return reached[count]
