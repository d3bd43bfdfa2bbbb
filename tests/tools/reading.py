"""Measures how well drawings and photographs are read, on the real pipeline.

    python -m tests.tools.reading                    # 1,350 drawings and 1,000 photographs, MNIST
    python -m tests.tools.reading --photographs 200  # fewer photographs

Every network trained on MNIST reads them, by its best run in the store (MNIST_CHECKPOINTS, or the
one that ships). Photographs are made of real test images: MNIST_DATA must hold MNIST.
"""

from __future__ import annotations

import argparse
import itertools

import numpy as np

from mnist_core.data.idx import missing_files, read_part
from mnist_core.dataset_specs import IMAGE_SIDE
from mnist_core.evaluation.ensemble import best_of_each
from mnist_core.evaluation.network import Network, load_network
from mnist_core.imaging.photo import from_image
from mnist_core.imaging.preprocess import from_canvas, without_normalising
from mnist_core.paths import data_root
from mnist_core.runs.store import RunStore
from tests.drawing import POSITIONS, SIZES, STROKES, draw, enlarge, photograph


def drawings(canvas: int = 280) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """10 digits × 5 sizes × 9 places × 3 pens: (N, 28, 28) normalised, (N, 28, 28) as drawn,
    and (N,) labels."""
    read, plain, labels = [], [], []
    for digit, size, position, stroke in itertools.product(range(10), SIZES, POSITIONS, STROKES):
        stages = from_canvas(
            draw(digit, canvas=canvas, size=size, position=position, stroke=stroke)
        )
        read.append(stages.final)
        plain.append(without_normalising(stages).final)
        labels.append(digit)
    return np.stack(read), np.stack(plain), np.array(labels)


def photographs(
    count: int, seed: int = 0, side: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """(N, 28, 28) as networks read photographs of MNIST test digits, and (N,) labels.

    The ink is up to 1 MNIST pixel thinner, or 2 thicker. A photograph on which nothing is found is
    a black image. `side`: the longer one in pixels, 90 to 2000 at random unless given.
    """
    images, labels = read_part("MNIST", data_root(), test=True)
    rng, read = np.random.default_rng(seed), []
    chosen = rng.choice(len(images), count, replace=False)
    for index in chosen:
        mask = enlarge(np.array(images[index]), thicken=float(rng.uniform(-0.5, 2)))
        stages = from_image(photograph(mask, rng, side))
        read.append(
            np.zeros((IMAGE_SIDE, IMAGE_SIDE), np.uint8) if stages is None else stages.final
        )
    return np.stack(read), np.array(labels[chosen])


def accuracy(network: Network, images: np.ndarray, labels: np.ndarray) -> float:
    return float((network.logits(images).argmax(1) == labels).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photographs", type=int, default=1000)
    options = parser.parse_args()
    read, plain, digits = drawings()
    photos, labels = None, None
    if not missing_files("MNIST", data_root()):
        photos, labels = photographs(options.photographs)
    print(f"{'network':18}{'drawings':>10}{'as drawn':>10}{'photographs':>13}   % right")
    for run in best_of_each(RunStore().list()[0], "MNIST"):
        network = load_network(run)
        figures = [accuracy(network, images, digits) for images in (read, plain)]
        if photos is not None:
            figures.append(accuracy(network, photos, labels))
        shown = "".join(f"{100 * f:{w}.1f}" for f, w in zip(figures, (10, 10, 13), strict=False))
        print(f"{run.config.model:18}{shown}", flush=True)
    print(f"{len(read)} drawings, {0 if photos is None else len(photos)} photographs")


if __name__ == "__main__":
    main()
