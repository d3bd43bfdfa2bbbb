"""A run's config as a link, as a command, and in words; and the run that is nearest to it."""

from __future__ import annotations

import functools
import math
import shlex
from collections.abc import Iterable, Mapping
from contextlib import suppress

from mnist_core.config import RunConfig
from mnist_core.errors import InputError
from mnist_core.formatting import number
from mnist_core.models import check_config, grid, make_config, model_spec, recipe_of
from mnist_core.runs.store import Run


def opening_config(model: str = grid.MODEL) -> RunConfig:
    """What the Train page shows of a network first: a run that is there, where one ships.

    Raises InputError for an unknown network.
    """
    return make_config(model, grid.RECIPE if model.lower() == grid.MODEL else None)


def config_from_query(query: Mapping[str, str]) -> tuple[RunConfig, list[str]]:
    """The config that a link's query asks for, and a sentence for each part that was no good.

    What the query leaves out comes from its recipe or, without one, from the network's opening
    config; so does what was no good.
    """
    complaints = []
    config = opening_config()
    try:
        config = opening_config(query.get("model", grid.MODEL))
        if "recipe" in query:
            config = make_config(config.model, query["recipe"])
    except InputError as error:
        complaints.append(f"{error}; showing {config.model}, {recipe_of(config)}")
    asked = {name: query[name] for name in RunConfig.names() if name in query and name != "model"}
    with suppress(InputError):  # all at once: one field's bounds may depend on another's value
        return check_config(config.replace(**asked)), complaints
    for name in asked:
        try:
            config = check_config(config.replace(**{name: query[name]}))
        except InputError as error:
            complaints.append(f"{error}; showing {getattr(config, name)}")
    return config, complaints


def query_of(config: RunConfig) -> dict[str, str]:
    """A query that `config_from_query` turns into an equal run: recipe, sliders, what differs."""
    recipe, changed = as_recipe(config)
    shown = {name: getattr(config, name) for name in (*grid.AXES, *changed)}
    named = {"dataset": config.dataset, "model": config.model, "recipe": recipe}
    return named | {name: number(value) for name, value in shown.items()}


def as_recipe(config: RunConfig) -> tuple[str, dict[str, object]]:
    """The network's recipe that is nearest to this config, and the fields that differ from it."""
    own, best = config.identity(), None
    for recipe in model_spec(config.model).recipes:
        there = make_config(config.model, recipe.name, dataset=config.dataset).identity()
        changed = {k: v for k, v in own.items() if there.get(k) != v}
        if best is None or len(changed) < len(best[1]):
            best = recipe.name, changed
    return best


def command_of(config: RunConfig) -> str:
    """The command that trains this run."""
    recipe, changed = as_recipe(config)
    named = {"dataset": config.dataset, "model": config.model, "recipe": recipe}
    values = named | {name: number(value) for name, value in changed.items()}
    options = (f"--{k.replace('_', '-')} {shlex.quote(v)}" for k, v in values.items())
    return " ".join(["python -m mnist_core train", *options])


def differences(one: RunConfig, other: RunConfig) -> dict[str, tuple[object, object]]:
    """The fields in which two experiments differ: (the one's, the other's)."""
    a, b = _identity(one), _identity(other)
    return {k: (a.get(k), b.get(k)) for k in a | b if a.get(k) != b.get(k)}


@functools.lru_cache(maxsize=20_000)
def _identity(config: RunConfig) -> dict[str, object]:
    return config.identity()


def nearest(config: RunConfig, runs: Iterable[Run]) -> Run | None:
    """Of the runs with epochs on the same data set and network, the one most like `config`.

    Few differences count first, then how far apart the numbers are, as ratios.
    """
    same = [
        run
        for run in runs
        if (run.config.dataset, run.config.model) == (config.dataset, config.model)
        and run.summary.epochs_done
        and run.id != config.id
    ]
    return min(same, key=lambda run: (*_distance(config, run.config), run.id), default=None)


def _distance(one: RunConfig, other: RunConfig) -> tuple[int, float]:
    apart = differences(one, other)
    return len(apart), sum(_ratio(*pair) for pair in apart.values())


def _ratio(a: object, b: object) -> float:
    """How far apart two values are: 1 for a factor of e, and for what is no positive number."""
    numbers = isinstance(a, (int, float)) and isinstance(b, (int, float))
    return abs(math.log(a / b)) if numbers and a > 0 and b > 0 else 1.0
