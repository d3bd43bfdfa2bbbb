"""A space as options of the command `sweep`, and how long a search takes here. No Optuna."""

from __future__ import annotations

import os
import random
import shlex
from collections.abc import Mapping
from statistics import fmean
from typing import Any, TypeGuard

from mnist_core.config import RunConfig
from mnist_core.errors import InputError
from mnist_core.models import nearest_recipe
from mnist_core.runs.store import RunStore
from mnist_core.sweeps.plan import WINNER_SEEDS
from mnist_core.sweeps.space import Dimension, Options, Range, Space
from mnist_core.training import cost

DRAWS = 20  # settings whose mean cost is that of a trial


def space_around(config: RunConfig, dimensions: Mapping[str, Dimension]) -> Space:
    """The space in which these fields vary and all others are the config's. Raises InputError.

    A field with one value only is fixed.
    """
    recipe, changes = nearest_recipe(config)
    single = {k: d.options[0] for k, d in dimensions.items() if _is_single(d)}
    varied = {k: d for k, d in dimensions.items() if k not in single}
    fixed = {"model": config.model, "dataset": config.dataset, **changes, **single}
    space = Space({k: v for k, v in fixed.items() if k not in varied}, varied, recipe)
    space.example()
    return space


def _is_single(dimension: Dimension) -> TypeGuard[Options]:
    return isinstance(dimension, Options) and len(dimension.options) == 1


def options_of(space: Space) -> list[str]:
    """The options of `sweep` that describe the space."""
    given = {"recipe": space.recipe, **space.fixed} if space.recipe else {**space.fixed}
    given |= {name: as_text(dimension) for name, dimension in space.dimensions.items()}
    return [part for k, v in given.items() for part in ("--" + k.replace("_", "-"), _text(v))]


def as_text(dimension: Dimension) -> str:
    """The short form of a dimension: "1e-4..1:log", "32,64"."""
    if not isinstance(dimension, Range):
        return ",".join(_text(value) for value in dimension.options)
    flags = (":log" if dimension.log else "") + (
        f":step={dimension.step}" if dimension.step else ""
    )
    return f"{dimension.low!r}..{dimension.high!r}{flags}"


def _text(value: Any) -> str:
    return repr(value) if isinstance(value, float) else str(value)


def command_line(arguments: list[str]) -> str:
    """The command as it is typed in a terminal."""
    return shlex.join(["python", "-m", "mnist_core", "sweep", *arguments])


def estimated_seconds(store: RunStore, space: Space, trials: int) -> float | None:
    """How long a search takes on this machine; None where its speed is not known.

    Every trial to its last epoch, one on each core, and then the winner's runs: pruning makes it
    shorter.
    """
    draw = random.Random(0)
    seconds = []
    for _ in range(DRAWS):
        values = {name: _drawn(d, draw) for name, d in space.ordered()}
        try:
            config = space.config(values)
        except InputError:  # a combination that cannot be costs nothing
            continue
        known = cost.load_similar(store, config)
        if known is None:
            return None
        seconds.append(known.run(config))
    return fmean(seconds) * (trials + WINNER_SEEDS) / (os.cpu_count() or 1) if seconds else None


def _drawn(dimension: Dimension, draw: random.Random) -> Any:
    if not isinstance(dimension, Range):
        return draw.choice(dimension.options)
    if found := dimension.values():
        return draw.choice(found)
    low, high = dimension.low, dimension.high
    value = low * (high / low) ** draw.random() if dimension.log else draw.uniform(low, high)
    return round(value) if dimension.whole else min(max(value, low), high)
