"""How well each network's measure of novelty works.

    python -m tests.tools.novelty FONT…
    python -m tests.tools.novelty --dataset KMNIST FONT…

Prints a Markdown table for the data set's best run of each network that has one: the share of test
images that is accepted, then the share of other pictures that is turned away, and in brackets the
AUROC in percent. Letters like a digit (letter_strokes.LIKE_DIGITS) are left out. Drawn letters
come from the strokes that were fitted against, with other random numbers; printed ones come from
the fonts given, which were not. Scribbles are made by other rules than those fitted against.
"""

import argparse

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mnist_core.data.idx import read_part
from mnist_core.dataset_specs import dataset_spec
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
    """Ink: a letter of a font, with a thicker outline, leaning and turned at random."""
    picture = Image.new("L", (260, 260))
    pen, face = ImageDraw.Draw(picture), ImageFont.truetype(font, 110)
    width = int(random.integers(0, 5))
    pen.text((130, 130), str(random.choice(SINGLE)), 255, face, "mm", stroke_width=width)
    lean = random.normal(0, 0.12)
    shear = (1, lean, -130 * lean, 0, 1, 0)
    picture = picture.transform(picture.size, Image.Transform.AFFINE, shear)
    return np.asarray(picture.rotate(float(random.normal(0, 7))))


def scribble(random):
    """Ink: a zigzag, coils, or a long line between random points."""
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
    return np.asarray(picture)


def pictures(dataset, fonts):
    """By kind, (N, 28, 28) of what is not in the data set."""
    random, fill, kinds = np.random.default_rng(2026), dataset_spec(dataset).filled, {}

    def made(draw):
        return [normalised(draw(), fill=fill) for _ in range(COUNT)]

    kinds["drawn letters"] = made(lambda: letter(random, str(random.choice(SINGLE))))
    if fonts:
        kinds["printed letters"] = made(lambda: printed(random, random.choice(fonts)))
    kinds["scribbles"] = made(lambda: scribble(random))
    for name in ("MNIST", "FashionMNIST", "KMNIST"):
        if name != dataset:
            kinds[name] = read_part(name, data_root(), test=True)[0][:COUNT]
    kinds["noise"] = random.integers(0, 256, (COUNT, 28, 28)).astype(np.uint8)
    kinds["blank"] = [np.full((28, 28), grey, np.uint8) for grey in (0, 128, 255)]
    return {kind: np.stack(list(images)) for kind, images in kinds.items()}


def auroc(own, others):
    """The probability that another picture is more novel than one of the data set's."""
    order = np.concatenate([own, others]).argsort().argsort()
    above = order[len(own) :].sum() - len(others) * (len(others) - 1) / 2
    return above / (len(own) * len(others))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fonts", nargs="*")
    parser.add_argument("--dataset", default="MNIST")
    options = parser.parse_args()
    others = pictures(options.dataset, options.fonts)
    test = np.asarray(read_part(options.dataset, data_root(), test=True)[0])
    print("|", " | ".join(["network", f"{options.dataset} accepted %", *others]), "|")
    print("|---" * (2 + len(others)) + "|")
    for run in best_of_each(RunStore().list()[0], options.dataset):
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
    main()
