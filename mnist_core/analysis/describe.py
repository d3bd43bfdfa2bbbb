"""A config in words and as a command; what sets configs apart. Loads without torch."""

import functools
import math
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mnist_core.config import CUSTOM, RunConfig
from mnist_core.formatting import field_name, number, plain, recipe_label, setting
from mnist_core.layers.short_name import short_name
from mnist_core.models import model_names, model_title, nearest_recipe, network_title, recipe_of
from mnist_core.runs.about import about
from mnist_core.runs.run import Run

MARKS = re.compile(r"[\\`*_\[\]<>#~$&{}|%!]")

SHORT_RECIPES = {
    "improved": "our best",
    "reference": "as published",
    "grid": "quick run",
    "searched": "found by a search",
}


def describe(config: RunConfig) -> str:
    """The nearest recipe and what differs from it: "As published, learning rate 0.05".

    Data set, network and seed are left out.
    """
    if config.tuned:
        words, origin = config.tuned.in_words(), describe(config.parent)
        return f"{words[:1].upper()}{words[1:]} from {origin[:1].lower()}{origin[1:]}"
    return ", ".join(_recipe_and_changes(config, ("seed", "layers")))


def recipe_words(config: RunConfig) -> str:
    """The recipe that the config follows to the letter, as short as a list of runs needs it."""
    recipe = recipe_of(config)
    return SHORT_RECIPES.get(recipe, recipe) if recipe else "custom"


def title_of(run: Run) -> str:
    """The name of a run's network; of one's own the label that somebody gave the run, if any.

    It says of a fine-tuned one that it is.
    """
    own = run.config.model == CUSTOM
    title = (own and as_title(about(run).label)) or network_title(run.config)
    return f"{title} (fine-tuned)" if run.config.tuning else title


def distinct_titles(runs: Iterable[Run]) -> list[str]:
    """`title_of` each, with a number where others before it have the same."""
    found: list[str] = []
    for run in runs:
        title = title_of(run)
        same = sum(other == title or other.startswith(f"{title} · ") for other in found)
        found.append(f"{title} · {same + 1}" if same else title)
    return found


def as_title(label: str) -> str:
    """A label without what a chart, HTML or Markdown would make something of."""
    return plain(MARKS.sub("", label)).strip()


def full_name(config: RunConfig) -> str:
    """Network, data set, nearest recipe and what differs from it, the seed too."""
    recipe = [describe(config)] if config.tuning else _recipe_and_changes(config, ("layers",))
    return " · ".join([network_title(config), config.dataset, *recipe])


def _recipe_and_changes(config: RunConfig, without: Sequence[str]) -> list[str]:
    if config.model not in model_names():
        return ["custom settings"]
    recipe, changes = nearest_recipe(config)
    return [
        recipe_label(recipe),
        *(setting(k, value) for k, value in changes.items() if k not in without),
    ]


def command_of(config: RunConfig) -> str:
    """The command that trains this config. Raises InputError for an unknown network."""
    if tuned := config.tuned:
        how = f"--digits SET --part {tuned.part} --epochs {tuned.epochs} --lr {number(tuned.lr)}"
        return f"python -m mnist_core fine-tune {config.parent.id} {how}"
    recipe, changes = nearest_recipe(config)
    values = {"dataset": config.dataset, "model": config.model, "recipe": recipe}
    values |= {name: number(value) for name, value in changes.items()}
    options = (f"--{k.replace('_', '-')} {shlex.quote(v)}" for k, v in values.items())
    return " ".join(["python -m mnist_core train", *options])


def differences(configs: Sequence[RunConfig]) -> dict[str, tuple[Any, ...]]:
    """The fields that are not the same in all configs: the value in each.

    It is None in a config whose optimiser, schedule or input size does not use the field.
    """
    used = [used_fields(config) for config in configs]
    values = {name: tuple([each.get(name) for each in used]) for name in RunConfig.names()}
    return {name: found for name, found in values.items() if len(set(found)) > 1}


def differing_settings(configs: Sequence[RunConfig]) -> dict[str, list[str | None]]:
    """`differences` in words, without the seed."""
    return {
        field_name(name): [None if value is None else _value(name, value) for value in values]
        for name, values in differences(configs).items()
        if name != "seed"
    }


def _value(name: str, value: Any) -> str:
    known = name == "model" and value in model_names()
    return model_title(value) if known else number(value)


def changes_in_words(config: RunConfig, other: RunConfig, limit: int = 3) -> str:
    """What differs in `other`, with its values there; the first `limit` fields."""
    changes = differences([config, other]).items()
    words = [_change(name, there) for name, (_, there) in changes if there is not None]
    return ", ".join(words[:limit]) + (" …" if len(words) > limit else "")


def _change(name: str, value: Any) -> str:
    return f"layers {short_name(value)}" if name == "layers" else setting(name, value)


@functools.lru_cache(maxsize=20_000)
def used_fields(config: RunConfig) -> Mapping[str, Any]:
    """`config.used()`, computed once."""
    return config.used()


def nearest_run(config: RunConfig, runs: Iterable[Run]) -> Run | None:
    """The run with epochs, on the same data set and network, that is most like `config`.

    The fewest different fields come first, then how far apart the numbers are, as ratios.
    """
    same = [
        run
        for run in runs
        if (run.config.dataset, run.config.model) == (config.dataset, config.model)
        and run.summary.epochs_done
        and not run.config.tuning
        and run.id != config.id
    ]

    counts = [len(_apart(config, run.config)) for run in same]
    fewest = min(counts, default=0)
    near = [run for run, count in zip(same, counts, strict=True) if count == fewest]

    def distance(run: Run) -> tuple[float, str]:
        apart = differences([config, run.config]).values()
        return sum(_ratio(*pair) for pair in apart), run.id

    return min(near, key=distance, default=None)


def _apart(config: RunConfig, other: RunConfig) -> set[str]:
    """The names of the used fields that are not the same in both."""
    return {name for name, _ in used_fields(config).items() ^ used_fields(other).items()}


def _ratio(a: Any, b: Any) -> float:
    """1 for a factor of e between two positive numbers, and for all other pairs of values."""
    numbers = isinstance(a, int | float) and isinstance(b, int | float)
    return abs(math.log(a / b)) if numbers and a > 0 and b > 0 else 1.0
