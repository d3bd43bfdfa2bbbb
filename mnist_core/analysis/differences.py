"""Configs side by side: only what differs. Loads without torch."""

from __future__ import annotations

from collections.abc import Sequence

from mnist_core.config import RunConfig
from mnist_core.formatting import field_name, number


def differing_settings(configs: Sequence[RunConfig]) -> dict[str, list[str | None]]:
    """Setting in words -> its value in each config, for those that are not the same in all.

    A setting that a config makes no use of is None there. The seed is no setting.
    """
    used = [config.identity() for config in configs]
    found = {
        name: [number(each[name]) if name in each else None for each in used]
        for name in RunConfig.names()
        if name != "seed"
    }
    return {field_name(k): v for k, v in found.items() if len(set(v)) > 1}
