"""Parts digits that touch: several cuts are tried, and whoever reads digits says which is best.

A cut runs from top to bottom where there is least ink to cross. Between any two cuts lies what may
be one digit; `score` tells how much each looks like one, and the best way to part the whole is
found by dynamic programming (as in Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-based
learning applied to document recognition, 1998, section V). Needs numpy and Pillow only.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
from PIL import Image

from mnist_core.imaging.morphology import box
from mnist_core.imaging.preprocess import centre, crop, fit

# (N, 28, 28) uint8 -> (N,) log-probability that each is a digit which the network knows, and (N,)
# log-odds that it is something the network knows, which tell apart what all but surely is
Score = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]

WHOLE = float(np.log(0.9))  # what is a digit with at least this probability is left whole
SURELY = 4.0  # log-odds: what is known as surely is left whole, whichever digit it is
PART = float(np.log(0.1))  # each part is a digit with at least this probability
NARROW = 0.8  # width / height: what is narrower is one digit, or a letter
EACH = 1.5  # log-probability that another digit costs
ODDS, MOST_ODDS = 0.2, 8.0  # weight of a part's log-odds where parts are chosen; more count as so
# When the best parts are taken: these weights times what they weigh sum to more than CONVINCING.
# Fitted on touching digits of MNIST's validation images, and on random letters and scribbles.
WIDE = 5.8  # of the whole's width / height
SLENDER = 9.5  # of the most slender part's width / height: letters fall into strokes
LOW = 9.9  # of the lowest part's height, as a share of the whole's
CROSSED = -6.2  # of the ink along the cut that crosses most, as a share of the height
SUREST = 12.0  # log-odds: a part counts with no more; the weight of their mean is 1
CONVINCING = 23.4
STEP = 0.1  # of the height: the distance of the places where a cut is tried
REACH = 0.18  # of the height: how far a cut may bend away from its place
WORK_HEIGHT = 48  # pixels: cuts are looked for in ink of this height
MOST = 40  # cuts
AIR = 0.02  # cost of a pixel without ink, of one full of it: short cuts are better than long ones
WIDEST = 1.3  # width / height of a digit
SHORTEST = 0.35  # of the whole's height
LEAST = 0.06  # of the whole's ink
DARK = 64  # of 255: fainter is the blur of an edge
Step = tuple[int, int]  # from one cut to another, by their numbers; 0 is the left end


def parted(ink: np.ndarray, score: Score) -> list[np.ndarray]:
    """The digits in (h, w) uint8 ink, from left to right, each as the ink of it, in its place.

    Only the ink itself where it is narrow, looks like a digit, or cannot be parted into what
    clearly does: letters and scribbles stay whole.
    """
    height, width = ink.shape
    if width < NARROW * height or is_digit(ink, score):
        return [ink]
    small = _small(ink)
    cuts = _cuts(small)
    pieces = _pieces(small, cuts)
    if not pieces:
        return [ink]
    likely, odds = score(np.stack([_image(piece) for piece in pieces.values()]))
    values = likely + ODDS * odds.clip(-MOST_ODDS, MOST_ODDS) - EACH
    steps = _best(len(cuts) + 1, dict(_above(pieces, values, likely > PART)))
    known = dict(zip(pieces, odds.tolist(), strict=True))
    if not steps or not _convincing(small, cuts, {step: pieces[step] for step in steps}, known):
        return [ink]
    ends = _ends([_enlarged(cut, small.shape, ink.shape) for cut in cuts], ink.shape)
    return [_between(ink, ends[a], ends[b]) for a, b in steps]


def is_digit(ink: np.ndarray, score: Score) -> bool:
    """Whether (h, w) uint8 ink as a whole surely looks like one digit."""
    likely, odds = score(_image(ink)[None])
    return bool(likely[0] > WHOLE or odds[0] > SURELY)


def _above(
    steps: Iterable[Step], values: np.ndarray, there: np.ndarray
) -> Iterator[tuple[Step, float]]:
    """The values that are there, by their steps."""
    pairs = zip(steps, values.tolist(), there.tolist(), strict=True)
    return ((step, value) for step, value, is_there in pairs if is_there)


def _convincing(
    small: np.ndarray,
    cuts: Sequence[np.ndarray],
    parts: Mapping[Step, np.ndarray],
    odds: Mapping[Step, float],
) -> bool:
    """Whether these parts are digits rather than what a letter or a scribble falls into."""
    height, width = small.shape
    sides = np.array([_sides(part) for part in parts.values()])  # (parts, 2)
    rows = np.arange(height)
    crossed = [
        small[rows, cuts[end - 1].clip(0, width - 1)].mean() / 255 for _, end in [*parts][:-1]
    ]
    evidence = np.mean([np.clip(odds[step], -SUREST, SUREST) for step in parts])
    shape = WIDE * width / height + SLENDER * (sides[:, 1] / sides[:, 0]).min()
    shape += LOW * sides[:, 0].min() / height
    return bool(evidence + shape + CROSSED * max(crossed, default=0.0) > CONVINCING)


def _image(ink: np.ndarray) -> np.ndarray:
    return centre(fit(crop(ink)))


def _small(ink: np.ndarray) -> np.ndarray:
    """The ink at the size at which it is taken apart: a digit ends up 20 pixels high."""
    height, width = ink.shape
    scale = min(1.0, WORK_HEIGHT / height)
    size = (max(2, round(width * scale)), max(2, round(height * scale)))
    return np.asarray(Image.fromarray(ink).resize(size, Image.Resampling.BOX))


def _cuts(small: np.ndarray) -> list[np.ndarray]:
    """Cuts from left to right: of each row, (h,), the column where the right side begins."""
    height, width = small.shape
    places = np.arange(0.15, width / height - 0.1, STEP)[:MOST] * height
    shares = small.astype(np.float32) / 255
    found: dict[bytes, np.ndarray] = {}
    for place in places:
        cut = _cheapest(shares, place, REACH * height)
        found.setdefault(cut.tobytes(), cut)
    return sorted(found.values(), key=lambda cut: float(cut.mean()))


def _enlarged(cut: np.ndarray, small: tuple[int, ...], shape: tuple[int, ...]) -> np.ndarray:
    """A cut of the small ink as one of ink of this shape."""
    rows = (np.arange(shape[0]) * small[0] // shape[0]).clip(0, small[0] - 1)
    return np.rint((cut[rows] + 0.5) * shape[1] / small[1]).astype(int)


def _ends(cuts: Sequence[np.ndarray], shape: tuple[int, ...]) -> list[np.ndarray]:
    """The cuts between the left and the right end."""
    return [np.zeros(shape[0], int), *cuts, np.full(shape[0], shape[1])]


def _between(ink: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    columns = np.arange(ink.shape[1])
    there = (columns >= left[:, None]) & (columns < right[:, None])
    return np.where(there, ink, 0).astype(np.uint8)


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


def _pieces(ink: np.ndarray, cuts: Sequence[np.ndarray]) -> dict[Step, np.ndarray]:
    """What lies between each two cuts, by their numbers; 0 is the left end. Scraps are left out,
    and what is too wide for one digit."""
    ends, whole, pieces = _ends(cuts, ink.shape), int(ink.sum(dtype=np.int64)), {}
    for a, b in itertools.combinations(range(len(ends)), 2):
        if (a, b) == (0, len(ends) - 1):
            continue
        piece = _between(ink, ends[a], ends[b])
        if piece.sum(dtype=np.int64) > LEAST * whole and _may_be_digit(piece):
            pieces[a, b] = piece
    return pieces


def _may_be_digit(piece: np.ndarray) -> bool:
    if not (piece > DARK).any():
        return False
    high, wide = _sides(piece)
    return bool(high > SHORTEST * len(piece) and wide < WIDEST * high)


def _sides(piece: np.ndarray) -> tuple[int, int]:
    """Height and width of the ink's box."""
    rows, columns = box(piece > DARK)
    return rows.stop - rows.start, columns.stop - columns.start


def _best(count: int, values: Mapping[Step, float]) -> list[Step]:
    """The steps from end 0 to end `count` with the highest sum of values; [] if none lead there."""
    reached: list[tuple[float, list[Step]]] = [(0.0, [])]
    for end in range(1, count + 1):
        options = [
            (reached[start][0] + values[start, end], [*reached[start][1], (start, end)])
            for start in range(end)
            if (start, end) in values
        ]
        reached.append(max(options, key=lambda option: option[0], default=(-np.inf, [])))
    total, steps = reached[count]
    return steps if np.isfinite(total) else []
