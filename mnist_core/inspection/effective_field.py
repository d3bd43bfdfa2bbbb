"""The effective receptive field: the mean absolute gradient of a unit's value by each pixel.

W. Luo, Y. Li, R. Urtasun, R. Zemel: Understanding the effective receptive field in deep
convolutional neural networks. NeurIPS 2016.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from mnist_core.config import RunConfig
from mnist_core.data.idx import missing_files, read_part
from mnist_core.data.transforms import resize, to_input
from mnist_core.errors import InputError
from mnist_core.evaluation.predict import load_model
from mnist_core.imaging.sample_drawings import draw, example_for
from mnist_core.inspection.receptive_field import fields_of
from mnist_core.inspection.stages import walk
from mnist_core.paths import data_root
from mnist_core.runs.run import Run

IMAGES = 32  # the gradient is averaged over as many


@dataclass(frozen=True)
class Effective:
    """One unit of one stage.

    `unit` is its row and column, `units` how many rows and columns there are. `box` is the
    theoretical field (top, left, bottom, right), clipped to the image; `field` (S, S) is the mean
    absolute gradient over images, summed over channels.
    """

    unit: tuple[int, int]
    units: tuple[int, int]
    box: tuple[int, int, int, int]
    field: np.ndarray


def effective_fields(
    model: nn.Module, images: torch.Tensor, row: float = 0.5, column: float = 0.5
) -> dict[str, Effective]:
    """The effective field of one unit of every stage that trace_fields knows.

    `images`: (N, 1, S, S) network input. `row` and `column` say where the unit lies in its map,
    from 0 to 1; of a flat stage all units count together. The unit's channels are summed.
    Raises UnsupportedOperation and InputError as `trace_fields` does.
    """
    if not (0 <= row <= 1 and 0 <= column <= 1):
        raise InputError(f"row, column: {row}, {column} were given; allowed is 0 to 1")
    pixels = images.detach().clone().requires_grad_()
    stages = walk(model, pixels, inside_blocks=True)
    fields = fields_of(stages, images.shape[-1])
    found = {}
    for stage in stages:
        value = stage.value
        if stage.name not in fields or not value.requires_grad:
            continue
        units = (value.shape[2], value.shape[3]) if value.ndim == 4 else (1, 1)
        unit = (round(row * (units[0] - 1)), round(column * (units[1] - 1)))
        chosen = value[:, :, unit[0], unit[1]] if value.ndim == 4 else value
        (slope,) = torch.autograd.grad(chosen.sum(), pixels, retain_graph=True)
        mean = slope.abs().sum(1).mean(0).numpy()
        found[stage.name] = Effective(unit, units, fields[stage.name].box(*unit), mean)
    return found


def sample(config: RunConfig, count: int = IMAGES) -> tuple[np.ndarray, str]:
    """(count, 28, 28) uint8 images, and in words what they are.

    The first test images, or drawings where the data set is not there.
    """
    root = data_root()
    if not missing_files(config.dataset, root):
        images = np.array(read_part(config.dataset, root, test=True)[0][:count])
        return images, f"the first {len(images)} test images"
    return drawn(config.dataset, count), f"{count} variants of a drawing"


def drawn(dataset: str, count: int) -> np.ndarray:
    """(count, 28, 28) uint8: one drawing with strokes of various widths, rotated by up to ±12°."""
    draws = np.random.default_rng(0)
    pictures = []
    for _ in range(count):
        ink = draw(example_for(dataset), side=84, width=draws.uniform(0.05, 0.11), finer=2)[..., 3]
        turned = Image.fromarray(ink).rotate(draws.uniform(-12, 12), Image.Resampling.BILINEAR)
        pictures.append(np.asarray(turned.reduce(3)))
    return np.stack(pictures)


def run_fields(run: Run, row: float, column: float) -> dict[str, Any]:
    """The fields of a run's network, ready for JSON; with the first image as the network got it.

    Raises LabError where the run keeps no weights, and as `effective_fields` does.
    """
    images, words = sample(run.config)
    tensor = torch.from_numpy(images)
    found = effective_fields(load_model(run), to_input(tensor, run.config), row, column)
    shown = resize(tensor[:1], run.config.input_size, run.config.fit)[0, 0]
    stages = {}
    for name, each in found.items():
        field = [[float(f"{v:.3g}") for v in line] for line in each.field.tolist()]
        stages[name] = {**vars(each), "field": field}
    return {"id": run.id, "over": words, "image": shown.tolist(), "stages": stages}
