"""What each registered network costs and sees, with the settings of its first recipe.

`stored` are properties of the networks, kept beside them so that pages need not load torch to
show them; a test measures them again. The file is what `bench networks --json` prints.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from mnist_core.errors import LabError
from mnist_core.files import read_json

PATH = Path(__file__).parent / "figures.json"
EXACT = ("parameters", "macs", "receptive_field", "weights_bytes", "blocks")


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
