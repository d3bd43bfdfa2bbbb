"""Measures what each registered network costs and sees; the result is models/figures.json."""

from collections.abc import Iterable
from typing import Any

from mnist_core.benchmarks.measurements import machine
from mnist_core.config import CUSTOM
from mnist_core.layers.text import text_of
from mnist_core.models import create_model, make_config, model_names
from mnist_core.models.as_layers import layers_of

HALF = 0.5  # the rate of dropout in a network's text, so that none is left out
REPEATS = 50  # of one image, for its median latency
ROUNDS = 20  # of REPEATS; the fastest counts


def measure(names: Iterable[str] | None = None) -> dict[str, Any]:
    """The figures of these networks (default: all), measured here. Loads torch."""
    rows = [
        {"name": name, **exact(name), "latency_ms": latency(name)}
        for name in names or (n for n in model_names() if n != CUSTOM)
    ]
    return {"machine": f"{machine()}, one thread", "networks": rows}


def exact(name: str) -> dict[str, Any]:
    """The figures of one network that are the same on every machine: stats.EXACT."""
    from mnist_core.inspection.architecture import CONVOLUTIONS, convolution_blocks, describe
    from mnist_core.inspection.profiling import figures, weights_bytes

    model, size = create_model(name), make_config(name).input_size
    stages = describe(model, size)
    return {
        **figures(model, size),
        "weights_bytes": weights_bytes(model),
        "blocks": convolution_blocks(stages),
        "layers": text_of(layers_of(create_model(name, "ReLU", HALF))),
        "convolutions": sum(stage["kind"] in CONVOLUTIONS for stage in stages),
    }


def latency(name: str) -> float:
    """Median milliseconds for one image on one thread of this machine's CPU.

    The fastest of ROUNDS: other work on the machine makes a round longer, never shorter.
    """
    from mnist_core.inspection.profiling import median_latency_ms

    model, size = create_model(name), make_config(name).input_size
    return round(min(median_latency_ms(model, size, REPEATS) for _ in range(ROUNDS)), 3)
