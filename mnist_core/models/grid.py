"""The grid that ships: a run for every setting of the four sliders. Loads without torch."""

from itertools import product

from mnist_core.config import RunConfig
from mnist_core.models import make_config

MODEL, DATASET, RECIPE = "lenet5", "MNIST", "grid"
# What the sliders of the Train page step over.
AXES: dict[str, tuple] = {
    "lr": (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0),
    "batch_size": (64, 256, 1024),
    "activation": ("ReLU", "LeakyReLU", "PReLU", "RReLU", "ELU", "SELU"),
    "dropout": (0.0, 0.25, 0.5),
}


def opening_config(model: str = MODEL) -> RunConfig:
    """What the Train page shows of a network first: a run that ships, where there is one.

    Raises InputError for an unknown network.
    """
    return make_config(model, RECIPE if model.lower() == MODEL else None)


def grid_configs() -> list[RunConfig]:
    """Every point of the grid; those that differ from the preset in fewer sliders come first."""
    preset = make_config(MODEL, RECIPE, dataset=DATASET)
    points = [dict(zip(AXES, point, strict=True)) for point in product(*AXES.values())]
    points.sort(key=lambda p: sum(getattr(preset, name) != value for name, value in p.items()))
    return [preset.replace(**point) for point in points]
