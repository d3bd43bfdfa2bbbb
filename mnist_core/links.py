"""A run's config as a link, as a command, and in words; and the run that is nearest to it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from contextlib import suppress

from mnist_core.config import RunConfig
from mnist_core.errors import InputError
from mnist_core.models import check_config, make_config
from mnist_core.runs import Run
from mnist_core.words import number


def config_from_query(query: Mapping[str, str]) -> tuple[RunConfig, list[str]]:
    """The config that a link's query asks for, and a sentence for each part that was no good.

    What the query leaves out comes from the network's first recipe; so does what was no good.
    """
    complaints = []
    try:
        config = make_config(query.get("model", "lenet5"))
    except InputError as error:
        complaints.append(f"{error}; showing lenet5")
        config = make_config("lenet5")
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
    """The shortest query that `config_from_query` turns into an equal run."""
    default = make_config(config.model, dataset=config.dataset).identity()
    changed = {k: v for k, v in config.identity().items() if default.get(k) != v}
    return {"dataset": config.dataset, "model": config.model} | {
        name: number(value) for name, value in changed.items()
    }


def command_of(config: RunConfig) -> str:
    """The command that trains this run."""
    options = (f"--{k.replace('_', '-')} {shlex.quote(v)}" for k, v in query_of(config).items())
    return " ".join(["python -m mnist_core train", *options])


def differences(one: RunConfig, other: RunConfig) -> dict[str, tuple[object, object]]:
    """The fields in which two experiments differ: (the one's, the other's)."""
    a, b = one.identity(), other.identity()
    return {k: (a.get(k), b.get(k)) for k in a | b if a.get(k) != b.get(k)}


def nearest(config: RunConfig, runs: Iterable[Run]) -> Run | None:
    """Of the runs with epochs on the same data set and network, the one most like `config`."""
    same = [
        run
        for run in runs
        if (run.config.dataset, run.config.model) == (config.dataset, config.model)
        and run.summary.epochs_done
        and run.id != config.id
    ]
    return min(same, key=lambda run: (len(differences(config, run.config)), run.id), default=None)


def seconds_needed(config: RunConfig, runs: Iterable[Run]) -> float | None:
    """An estimate from the newest run of the same network: its seconds an epoch, or None."""
    for run in sorted(runs, key=lambda run: -run.summary.created):
        if run.config.model == config.model and run.summary.epochs_done:
            return run.summary.seconds / run.summary.epochs_done * config.epochs
    return None
