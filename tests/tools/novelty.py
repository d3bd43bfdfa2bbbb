"""How well each network's measure of novelty works: `python -m tests.tools.novelty FONT…`

Prints a Markdown table for the best MNIST run of each network that has one: the share of MNIST's
test images that is accepted, then the share of other pictures that is turned away, and in brackets
the AUROC in percent. Letters like a digit (letter_strokes.LIKE_DIGITS) are left out. Drawn letters
come from the strokes that were fitted against, with other random numbers; printed ones come from
the fonts given, which were not. Scribbles are made by other rules than those fitted against.
"""

import sys

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mnist_core.data.idx import read_part
from mnist_core.evaluation.ensemble import best_of_each
from mnist_core.evaluation.network import load_network
from mnist_core.imaging.novel_images import PLAIN_LETTERS, SIDE, letter, normalised
from mnist_core.inspection.novelty import hidden_values, stored
from mnist_core.models import model_title
from mnist_core.paths import data_root
from mnist_core.runs.store import RunStore

COUNT = 1000  # pictures of a kind
SINGLE = [name for name in PLAIN_LETTERS if len(name) == 1]


def printed(random, font):
    """A letter of a font, with a thicker outline, leaning and turned at random."""
    picture = Image.new("L", (260, 260))
    pen, face = ImageDraw.Draw(picture), ImageFont.truetype(font, 110)
    width = int(random.integers(0, 5))
    pen.text((130, 130), str(random.choice(SINGLE)), 255, face, "mm", stroke_width=width)
    lean = random.normal(0, 0.12)
    shear = (1, lean, -130 * lean, 0, 1, 0)
    picture = picture.transform(picture.size, Image.Transform.AFFINE, shear)
    return normalised(np.asarray(picture.rotate(float(random.normal(0, 7)))))


def scribble(random):
    """A zigzag, coils, or a long line between random points."""
    kind, count = random.integers(3), int(random.integers(8, 20))
    if kind == 0:
        across = np.linspace(8, 76, count)
        points = np.column_stack([across, np.where(np.arange(count) % 2, 20, 64)])
        points = points + random.normal(0, 6, points.shape)
    elif kind == 1:
        turns = np.linspace(0, random.uniform(6, 14) * np.pi, 90)
        points = np.column_stack([np.cos(turns), np.sin(turns)]) * random.uniform(8, 22, 2)
        points += SIDE / 2 + np.column_stack([np.linspace(-18, 18, 90), 0 * turns])
    else:
        points = random.uniform(8, 76, (count, 2))
    picture = Image.new("L", (SIDE, SIDE))
    line = [(float(x), float(y)) for x, y in points]
    ImageDraw.Draw(picture).line(line, 255, int(random.integers(3, 9)), joint="curve")
    return normalised(np.asarray(picture))


def pictures(fonts):
    """By kind, (N, 28, 28) of what is not in MNIST."""
    random, kinds = np.random.default_rng(2026), {}
    kinds["drawn letters"] = [
        normalised(letter(random, str(random.choice(SINGLE)))) for _ in range(COUNT)
    ]
    if fonts:
        kinds["printed letters"] = [printed(random, random.choice(fonts)) for _ in range(COUNT)]
    kinds["scribbles"] = [scribble(random) for _ in range(COUNT)]
    for name in ("FashionMNIST", "KMNIST"):
        kinds[name] = read_part(name, data_root(), test=True)[0][:COUNT]
    kinds["noise"] = random.integers(0, 256, (COUNT, 28, 28)).astype(np.uint8)
    kinds["blank"] = [np.full((28, 28), grey, np.uint8) for grey in (0, 128, 255)]
    return {kind: np.stack(list(images)) for kind, images in kinds.items()}


def auroc(own, others):
    """The probability that another picture is more novel than one of the data set's."""
    order = np.concatenate([own, others]).argsort().argsort()
    above = order[len(own) :].sum() - len(others) * (len(others) - 1) / 2
    return above / (len(own) * len(others))


def main(fonts):
    others = pictures(fonts)
    test = np.asarray(read_part("MNIST", data_root(), test=True)[0])
    print("|", " | ".join(["network", "MNIST accepted %", *others]), "|")
    print("|---" * (2 + len(others)) + "|")
    for run in best_of_each(RunStore().list()[0], "MNIST"):
        detector = stored(run)
        if detector is None:
            continue
        network = load_network(run)
        own = detector.scores(hidden_values(network, test))
        cells = [model_title(run.config.model), f"{100 * (own <= 0).mean():.1f}"]
        for images in others.values():
            found = detector.scores(hidden_values(network, images))
            cells.append(f"{100 * (found > 0).mean():.1f} ({100 * auroc(own, found):.1f})")
        print("|", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
