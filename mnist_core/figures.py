"""What each registered network costs and sees, with the settings of its first recipe.

`stored` are properties of the networks, kept beside them so that pages need not load torch to
show them; a test measures them again. The file is what `bench networks --json` prints.
"""

from __future__ import annotations

import functools
import os
import platform
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mnist_core.errors import LabError
from mnist_core.files import read_json
from mnist_core.models import create_model, make_config, model_names, model_spec

PATH = Path(__file__).parent / "models" / "figures.json"
EXACT = ("parameters", "macs", "receptive_field", "weights_bytes", "blocks")
REPEATS, ROUNDS = 50, 20  # of one image, for its median latency; rounds, of which the best counts


@functools.cache
def stored() -> dict[str, dict[str, Any]]:
    """model -> EXACT and `latency_ms`; empty for a network that was added since.

    Raises LabError for a damaged file.
    """
    return {row["name"]: row for row in _file()["networks"]}


@functools.cache
def measured_on() -> str:
    """The machine of the stored latencies, in words."""
    return _file()["machine"]


@functools.cache
def _file() -> dict[str, Any]:
    try:
        found = read_json(PATH)
        if all({"name", "latency_ms", *EXACT} <= set(row) for row in found["networks"]):
            return {"machine": str(found["machine"]), "networks": found["networks"]}
        raise ValueError("figures are missing")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LabError(
            f"{PATH} is damaged ({error}); "
            f"make it anew: python -m mnist_core bench networks --json > {PATH.name}"
        ) from error


def measure(names: Iterable[str] | None = None) -> dict[str, Any]:
    """The figures of these networks (default: all), measured here. Loads torch."""
    rows = [{"name": name, **exact(name), "latency_ms": latency(name)} for name in _all(names)]
    return {"machine": f"{machine()}, one thread", "networks": rows}


def _all(names: Iterable[str] | None) -> list[str]:
    return [model_spec(name).name for name in names or model_names()]


def exact(name: str) -> dict[str, Any]:
    """EXACT of one network: the same on every machine."""
    from mnist_core.graph import convolution_blocks, describe
    from mnist_core.profiling import figures, weights_bytes

    model, size = create_model(name), make_config(name).input_size
    blocks = convolution_blocks(describe(model, size))
    return {**figures(model, size), "weights_bytes": weights_bytes(model), "blocks": blocks}


def latency(name: str) -> float:
    """Median milliseconds for one image on one thread of this machine's CPU.

    The lowest of some rounds: whatever else the machine is at makes a round longer, never shorter.
    """
    from mnist_core.profiling import median_latency_ms

    model, size = create_model(name), make_config(name).input_size
    return round(min(median_latency_ms(model, size, REPEATS) for _ in range(ROUNDS)), 3)


def layers(names: Iterable[str] | None = None) -> dict[str, list[dict[str, Any]]]:
    """model -> its stages: see graph.describe. Loads torch."""
    from mnist_core.graph import describe

    return {n: describe(create_model(n), make_config(n).input_size) for n in _all(names)}


def machine() -> str:
    """This machine's processor and torch's version."""
    import torch

    return f"{_processor()}, {os.cpu_count()} cores, torch {torch.__version__}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
