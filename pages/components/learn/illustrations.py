"""The pictures of the glossary, each (H, W, 3) uint8: made of runs and drawings that are here.

No image of a data set is used, which would be missing on a fresh clone; nothing loads torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageDraw

from mnist_core.errors import NotFound
from mnist_core.evaluation.calibration import calibration
from mnist_core.evaluation.predictions import confusions, logits_and_labels
from mnist_core.imaging.corruptions import corrupt
from mnist_core.imaging.field_overlay import overlay_field
from mnist_core.imaging.sample_drawings import drawn_digits
from mnist_core.imaging.tiles import enlarged, tile
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore

SIDE = 144
INK, GROUND, SOFT = (45, 212, 191), (16, 21, 28), (110, 122, 135)
Illustration = Callable[[Sequence[Run]], np.ndarray]
ILLUSTRATIONS: dict[str, Illustration] = {}


def illustration(function: Illustration) -> Illustration:
    ILLUSTRATIONS[function.__name__] = function
    return function


def the_run(runs: Sequence[Run]) -> Run:
    """The best LeNet-5 on MNIST, one with snapshots if there is any. Raises NotFound without."""
    own = [r for r in runs if (r.config.model, r.config.dataset) == ("lenet5", "MNIST")]
    able = [run for run in own if run.has_weights and run.finished]
    if not able:
        raise NotFound("There is no LeNet-5 here to make this picture with.")
    return max(able, key=lambda run: (run.has_snapshots, run.summary.validation_accuracy or 0))


def _kernels(runs: Sequence[Run]) -> np.ndarray:
    found = the_run(runs).first_kernels()
    if found is None:
        raise NotFound("This run's weights are not here.")
    return found


def _history(runs: Sequence[Run], name: str) -> list[float]:
    found = [row[name] for row in the_run(runs).history]
    if not found:
        raise NotFound("This run's curves are not here.")
    return found


def _five() -> np.ndarray:
    return drawn_digits()[5]


def _slid(kernels: np.ndarray, image: np.ndarray, stride: int = 1) -> np.ndarray:
    """(C, k, k) kernels over an (H, W) image, without padding: (C, rows, columns)."""
    side = kernels.shape[1]
    patches = np.lib.stride_tricks.sliding_window_view(image / 255.0, (side, side))
    return np.einsum("yxij,cij->cyx", patches[::stride, ::stride], kernels)


def _grey(image: np.ndarray, factor: int = 5) -> np.ndarray:
    return np.repeat(enlarged(image, factor)[..., None], 3, axis=2)


def _line(values: Sequence[float], low: float, high: float) -> np.ndarray:
    """Values from left to right as a line."""
    picture = Image.new("RGB", (SIDE, SIDE), GROUND)
    pen, last, span = ImageDraw.Draw(picture), max(1, len(values) - 1), (high - low) or 1.0
    points = [
        (8 + at / last * (SIDE - 16), SIDE - 8 - (value - low) / span * (SIDE - 16))
        for at, value in enumerate(values)
    ]
    pen.line(points, fill=INK, width=3)
    return np.asarray(picture)


@illustration
def digits(_: Sequence[Run]) -> np.ndarray:
    return tile(drawn_digits()[:9], SIDE, SIDE, grey=True).pixels


@illustration
def kernels(runs: Sequence[Run]) -> np.ndarray:
    return tile(_kernels(runs), SIDE, SIDE).pixels


@illustration
def untrained(runs: Sequence[Run]) -> np.ndarray:
    """The first kernels before training, as the seed made them."""
    weights = the_run(runs).snapshots()[0].weights
    found = next(v for _, v in sorted(weights.items()) if v.ndim == 4 and v.shape[1] == 1)
    return tile(found[:, 0].astype(np.float32), SIDE, SIDE).pixels


@illustration
def maps(runs: Sequence[Run]) -> np.ndarray:
    """The run's kernels, slid over a drawn 5."""
    return tile(_slid(_kernels(runs), _five()), SIDE, SIDE).pixels


@illustration
def strided(runs: Sequence[Run]) -> np.ndarray:
    return tile(_slid(_kernels(runs), _five(), stride=2), SIDE, SIDE).pixels


@illustration
def pooled(runs: Sequence[Run]) -> np.ndarray:
    """The largest of each square of four values."""
    found = _slid(_kernels(runs), _five())
    channels, rows, columns = found.shape
    squares = found.reshape(channels, rows // 2, 2, columns // 2, 2)
    return tile(squares.max(axis=(2, 4)), SIDE, SIDE).pixels


@illustration
def dropped(runs: Sequence[Run]) -> np.ndarray:
    """Maps in which half of the values are zero."""
    found = _slid(_kernels(runs), _five())
    kept = np.random.default_rng(0).random(found.shape) < 0.5
    return tile(found * kept, SIDE, SIDE).pixels


@illustration
def moved(_: Sequence[Run]) -> np.ndarray:
    turned = [corrupt(_five()[None], "rotation", angle)[0] for angle in (-20, -10, 10, 20)]
    return tile(np.stack(turned), SIDE, SIDE, grey=True).pixels


@illustration
def noisy(_: Sequence[Run]) -> np.ndarray:
    return _grey(corrupt(_five()[None], "noise", 0.3)[0])


@illustration
def padded(_: Sequence[Run]) -> np.ndarray:
    """Two pixels of zeros around an image, drawn lighter than they are."""
    picture = np.full((32, 32, 3), SOFT, np.uint8)
    picture[2:-2, 2:-2] = _five()[..., None]
    return enlarged(picture, 4)


@illustration
def convolution(_: Sequence[Run]) -> np.ndarray:
    """The place of a 5×5 kernel on an image."""
    return overlay_field(_five(), (8, 10, 13, 15), factor=5)


@illustration
def field(_: Sequence[Run]) -> np.ndarray:
    return overlay_field(_five(), (6, 7, 20, 21), factor=5)


@illustration
def loss(runs: Sequence[Run]) -> np.ndarray:
    """The training loss of each epoch, on a logarithmic scale."""
    values = np.log(np.maximum(_history(runs, "train_loss"), 1e-9))
    return _line(values.tolist(), values.min(), values.max())


@illustration
def accuracy(runs: Sequence[Run]) -> np.ndarray:
    values = _history(runs, "validation_accuracy")
    return _line(values, min(values), max(values))


@illustration
def logits(runs: Sequence[Run]) -> np.ndarray:
    """Those of the first test image, as bars: 0 in the middle."""
    values = the_run(runs).logits()["test"][0].astype(float)
    picture = Image.new("RGB", (SIDE, SIDE), GROUND)
    pen, most, step = (
        ImageDraw.Draw(picture),
        float(np.abs(values).max()) or 1.0,
        SIDE / len(values),
    )
    for place, value in enumerate(values):
        ends = sorted((SIDE / 2, SIDE / 2 + value / most * (SIDE / 2 - 4)))
        pen.rectangle((ends[0], place * step + 2, ends[1], (place + 1) * step - 2), fill=INK)
    pen.line((SIDE / 2, 0, SIDE / 2, SIDE), fill=SOFT)
    return np.asarray(picture)


@illustration
def reliability(runs: Sequence[Run]) -> np.ndarray:
    """Accuracy against confidence; the diagonal is what a calibrated network would reach."""
    result = calibration(*logits_and_labels(RunStore(), the_run(runs), "test"))
    picture = Image.new("RGB", (SIDE, SIDE), GROUND)
    pen, reach = ImageDraw.Draw(picture), SIDE - 16
    pen.line((8, SIDE - 8, SIDE - 8, 8), fill=SOFT, width=2)
    for each in result.bins:
        if each.count and each.accuracy is not None and each.confidence is not None:
            x, y = 8 + each.confidence * reach, SIDE - 8 - each.accuracy * reach
            pen.ellipse((x - 4, y - 4, x + 4, y + 4), fill=INK)
    return np.asarray(picture)


@illustration
def confusion(runs: Sequence[Run]) -> np.ndarray:
    """How often each class was taken for another, by this run."""
    counts = confusions(RunStore(), [the_run(runs)], 10)
    return tile(np.sqrt(counts), SIDE, SIDE).pixels
