"""What each shipped network costs and sees, with the settings of its first recipe.

The figures are kept beside the networks so that pages need not load torch to show them; a test
measures them again. The file is what `bench networks --json` prints.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mnist_core.config import CUSTOM, RunConfig
from mnist_core.dataset_specs import dataset_spec
from mnist_core.errors import LabError
from mnist_core.files import read_json
from mnist_core.formatting import counted, short_count
from mnist_core.layers.chain import receptive_field
from mnist_core.layers.kinds import Convolution
from mnist_core.models.registry import own_steps

PATH = Path(__file__).parent / "figures.json"
EXACT = (
    *("parameters", "macs", "receptive_field", "weights_bytes"),
    *("blocks", "convolutions", "layers"),
)
BY_CLASSES = ("parameters", "macs", "weights_bytes")  # these follow the number of classes


@dataclass(frozen=True)
class Stats:
    """`networks` maps a name to EXACT and `latency_ms`; `machine` is where that was measured."""

    machine: str
    networks: Mapping[str, Mapping[str, Any]]


@functools.cache
def shipped_stats(path: Path = PATH) -> Stats:
    """Those of the networks that ship. Raises LabError for a damaged file."""
    try:
        found = read_json(path)
        if all({"name", "latency_ms", *EXACT} <= set(row) for row in found["networks"]):
            return Stats(str(found["machine"]), {row["name"]: row for row in found["networks"]})
        raise ValueError("figures are missing")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LabError(
            f"{path} is damaged ({error}); "
            f"make it anew: python -m mnist_core bench networks --json > {path.name}"
        ) from error


def gloss(figures: Mapping[str, Any]) -> str:
    """What a network is made of, in a few words: "5 convolutions, 75k parameters".

    `figures`: those of `stats_of`, or fewer; what is not known is left out.
    """
    parts = []
    if "convolutions" in figures:
        parts.append(counted(figures["convolutions"], "convolution"))
    if "parameters" in figures:
        parts.append(f"{short_count(figures['parameters'])} parameters")
    return ", ".join(parts)


def stats_for(config: RunConfig) -> Mapping[str, Any]:
    """`stats_of` the config's network; of one's own its parameters, MACs, field, convolutions."""
    if config.model != CUSTOM:
        return stats_of(config.model, config.dataset)
    steps = own_steps(config)
    return {
        "parameters": sum(step.parameters for step in steps),
        "macs": sum(step.macs for step in steps),
        "receptive_field": receptive_field(steps),
        "convolutions": sum(isinstance(step.layer, Convolution) for step in steps),
    }


def stats_of(model: str, dataset: str) -> Mapping[str, Any]:
    """EXACT and `latency_ms` of a network as it is trained on a data set.

    Empty for a network that was added since; without BY_CLASSES for a data set with another number
    of classes than the one that was measured. Raises LabError for a damaged file.
    """
    known = shipped_stats().networks.get(model, {})
    if dataset_spec(dataset).num_classes == dataset_spec(RunConfig.dataset).num_classes:
        return known
    return {name: value for name, value in known.items() if name not in BY_CLASSES}
