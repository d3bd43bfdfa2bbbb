"""The grid that ships: every setting of the four sliders, for each data set. No torch."""

from itertools import product

from mnist_core.config import ACTIVATIONS, RunConfig
from mnist_core.models import make_config

MODEL, RECIPE = "lenet5", "grid"
DATASETS = ("MNIST", "FashionMNIST", "KMNIST")
# What the sliders of the Train page step over.
AXES: dict[str, tuple] = {
    "lr": (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0),
    "batch_size": (32, 64, 128, 256, 1024),
    "activation": ACTIVATIONS,
    "dropout": (0.0, 0.25, 0.5),
}


def opening_config(model: str = MODEL) -> RunConfig:
    """What the Train page shows of a network first: a run that ships, where there is one.

    Raises InputError for an unknown network.
    """
    return make_config(model, RECIPE if model.lower() == MODEL else None)


def grid_configs(dataset: str) -> list[RunConfig]:
    """Every point of a data set's grid; those nearest to the preset, by sliders, come first."""
    preset = make_config(MODEL, RECIPE, dataset=dataset)
    points = [dict(zip(AXES, point, strict=True)) for point in product(*AXES.values())]
    points.sort(key=lambda p: sum(getattr(preset, name) != value for name, value in p.items()))
    return [preset.replace(**point) for point in points]
