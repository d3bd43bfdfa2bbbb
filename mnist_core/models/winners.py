"""Reads the winners of searches that are kept beside the networks. Loads without torch."""

from __future__ import annotations

from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any

from mnist_core.errors import LabError
from mnist_core.files import read_json


def read_winners(path: Path, keys: Set[str]) -> Mapping[str, Mapping[str, Any]]:
    """By network, what `reproduce searched` wrote, each with at least these keys.

    Nothing where there is no such file. Raises LabError for a damaged one.
    """
    try:
        found = read_json(path)
        if not all(keys <= set(winner) for winner in found.values()):
            raise ValueError("figures are missing")
        return dict(found)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise LabError(
            f"{path} is damaged ({error}); "
            "make it anew: python -m mnist_core reproduce searched --only STUDY"
        ) from error
