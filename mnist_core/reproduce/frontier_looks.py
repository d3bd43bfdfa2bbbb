"""What other habits would have claimed for a run of the frontier; nothing is chosen by it.

Two figures stand beside a run's test accuracy: the test accuracies of its snapshots, the best of
which is what choosing the epoch on test images would have reported, and the accuracy when the
network sees nine copies of each test image, shifted by up to one pixel, and its probabilities are
averaged (test-time augmentation).
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from mnist_core.files import is_number, read_checked, write_json
from mnist_core.runs.run import Run

if TYPE_CHECKING:
    import torch

LOOKS = "looks.json"  # in the folder of a run
SHIFTED = "shifted"  # the name of the second figure in that file; all others are epochs
STEPS = (-1, 0, 1)  # pixels


def keep_looks(run: Run, snapshots: bool) -> None:
    """Measures a finished run and writes the figures into its folder."""
    found = measured_looks(run) if snapshots else {}
    write_json(run.path / LOOKS, {**found, SHIFTED: shifted_accuracy(run)})


def looks(run: Run) -> dict[str, float]:
    """The snapshots' test accuracies by epoch; nothing for a run without such figures."""
    return {name: value for name, value in _read(run).items() if name != SHIFTED}


def shifted(run: Run) -> float | None:
    """The test accuracy averaged over shifted copies, or None."""
    return _read(run).get(SHIFTED)


def _read(run: Run) -> dict[str, float]:
    def check(found: object) -> dict[str, float]:
        if not isinstance(found, dict) or not all(map(is_number, found.values())):
            raise ValueError("no table of accuracies")
        return {str(name): float(value) for name, value in found.items()}

    nothing: dict[str, float] = {}
    return read_checked(run.path / LOOKS, check, default=nothing)


def measured_looks(run: Run) -> dict[str, float]:
    """Test accuracies of the snapshots after the run's epochs, in half precision, by epoch."""
    from mnist_core.evaluation.metrics import metrics
    from mnist_core.evaluation.predict import logits_of
    from mnist_core.inspection.over_time import network_at

    pixels, labels = _test_images(run)
    found = {}
    for snapshot in run.snapshots():
        if snapshot.epoch:
            logits = logits_of(network_at(run, snapshot).model, pixels, run.config)
            found[str(snapshot.epoch)] = metrics(logits.numpy(), labels.numpy()).accuracy
    return found


def shifted_accuracy(run: Run) -> float:
    """The test accuracy of the mean probabilities over nine shifts of each image."""
    import torch

    from mnist_core.evaluation.predict import load_model, logits_of

    model, (pixels, labels) = load_model(run), _test_images(run)
    copies = (_moved(pixels, *steps) for steps in itertools.product(STEPS, STEPS))
    probabilities = [logits_of(model, copy, run.config).softmax(1) for copy in copies]
    return float((torch.stack(probabilities).mean(0).argmax(1) == labels).double().mean())


def _moved(pixels: torch.Tensor, down: int, right: int) -> torch.Tensor:
    """(N, 1, S, S) images moved by whole pixels; what comes in from outside is 0."""
    from torch.nn.functional import pad

    side, most = pixels.shape[-1], max(STEPS)
    wide, top, left = pad(pixels, [most] * 4), most - down, most - right
    return wide[..., top : top + side, left : left + side]


def _test_images(run: Run) -> tuple[torch.Tensor, torch.Tensor]:
    """The pixels that the network reads, and the labels."""
    from mnist_core.jobs.pool import loaded

    test = loaded(run.config.dataset).test
    return test.pixels(run.config.input_size, run.config.fit), test.labels
