"""How well several digits in one picture are read, and what else is taken apart by mistake.

    python -m tests.tools.several_digits FONT…                 # the best run of each network
    python -m tests.tools.several_digits --network lenet5 --count 300 FONT…

Prints a Markdown table, in percent: pairs and triples of MNIST's test images whose whole reading is
right, side by side with a gap and touching; single test images taken apart; and pictures of letters
and scribbles that are turned away as a whole. A letter that is taken apart is turned away when any
of its parts is. Letters like a digit (letter_strokes.LIKE_DIGITS) are left out; printed ones come
from the fonts given.
"""

import argparse

import numpy as np
from PIL import Image

from mnist_core.data.idx import read_part
from mnist_core.imaging.novel_images import letter
from mnist_core.imaging.preprocess import crop, from_ink
from mnist_core.models import model_title
from mnist_core.paths import data_root
from tests.tools.novelty import SINGLE, printed, scribble
from tests.tools.reader import readers

ENLARGED = 5  # pixels for each of an image's
HEIGHTS = (0.85, 1.15)  # of the digits of a row
OFFSET = 0.12  # of the height: how far a digit lies above or below the line, one standard deviation
GAP = (0.1, 0.8)  # of the height
OVERLAP = 1.5  # of an image's pixels: how far digits that touch run into each other, at most


def row(random, images, *, touching):
    """(h, w) uint8 ink: images beside each other, at random heights and gaps."""
    return crop(np.max(layers(random, images, touching=touching), axis=0))


def layers(random, images, *, touching):
    """(images, h, w) uint8: each digit of a row in its place."""
    digits = [_enlarged(random, image) for image in images]
    height = 3 * max(len(digit) for digit in digits)
    width = 2 * sum(digit.shape[1] for digit in digits) + height
    pages = np.zeros((len(digits), height, width), np.uint8)
    for number, (page, digit) in enumerate(zip(pages, digits, strict=True)):
        top = height // 2 - len(digit) // 2 + round(random.normal(0, OFFSET) * len(digit))
        left = _place(random, pages.max(axis=0), digit, top, touching) if number else 0
        page[top : top + len(digit), left : left + digit.shape[1]] = digit
    return pages


def _enlarged(random, image):
    side = round(28 * ENLARGED * random.uniform(*HEIGHTS))
    large = Image.fromarray(np.asarray(image)).resize((side, side), Image.Resampling.BICUBIC)
    return crop(np.asarray(large))


def _place(random, page, digit, top, touching):
    """The column where the next digit begins."""
    columns = np.flatnonzero((page > 96).any(axis=0))
    if not touching:
        return int(columns[-1] + 1 + random.uniform(*GAP) * len(digit))
    there, own = page[top : top + len(digit)] > 96, digit > 96
    width = there.shape[1]
    last = np.where(there.any(1), width - 1 - there[:, ::-1].argmax(1), -width)
    first = np.where(own.any(1), own.argmax(1), width)
    nearest = int((last - first).max())  # there it would lie on the last ink of some row
    if nearest < -digit.shape[1]:  # no row has both
        return int(columns[-1] + 1)
    return max(0, nearest - round(random.uniform(0, OVERLAP) * ENLARGED))


def rows_of(random, images, labels, count, size, *, touching):
    """`count` pairs of ink and its reading, each of `size` digits."""
    made = []
    for _ in range(count):
        chosen = random.integers(len(images), size=size)
        name = "".join(str(label) for label in labels[chosen])
        made.append((row(random, images[chosen], touching=touching), name))
    return made


def others(random, count, fonts):
    """By kind, ink that is no digit."""
    kinds = {"drawn letters": [letter(random, str(random.choice(SINGLE))) for _ in range(count)]}
    if fonts:
        kinds["printed letters"] = [printed(random, random.choice(fonts)) for _ in range(count)]
    return kinds | {"scribbles": [scribble(random) for _ in range(count)]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fonts", nargs="*")
    parser.add_argument("--network", nargs="+", default=(), help="only these")
    parser.add_argument("--count", type=int, default=200, help="of each kind")
    options = parser.parse_args()
    images, labels = map(np.asarray, read_part("MNIST", data_root(), test=True))
    random, count = np.random.default_rng(2027), options.count
    rows = {
        f"{'touching ' * touching}{name}": rows_of(
            random, images, labels, count, size, touching=touching
        )
        for touching in (False, True)
        for name, size in (("pairs", 2), ("triples", 3))
    }
    single = [_enlarged(random, images[at]) for at in random.integers(len(images), size=5 * count)]
    away = others(random, count, options.fonts)
    print("|", " | ".join(["network", *rows, "single, taken apart", *away]), "|")
    print("|---" * (2 + len(rows) + len(away)) + "|")
    for model, reader in readers(options.network).items():
        figures = [
            np.mean([read(reader, ink) == name for ink, name in each]) for each in rows.values()
        ]
        figures.append(np.mean([len(reader.digits(from_ink(ink))) > 1 for ink in single]))
        figures += [np.mean([is_away(reader, ink) for ink in each]) for each in away.values()]
        cells = [model_title(model), *(f"{100 * figure:.1f}" for figure in figures)]
        print("|", " | ".join(cells), "|", flush=True)


def read(reader, ink):
    return reader.reading(from_ink(ink))[0]


def is_away(reader, ink):
    return not reader.reading(from_ink(ink))[1]


if __name__ == "__main__":
    main()
