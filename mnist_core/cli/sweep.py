"""The command `sweep`; those for workers and for what a study has found are in `studies`."""

import os
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_core.cli.command import Answer, command
from mnist_core.cli.study_options import (
    bring_home,
    check_training,
    in_a_line,
    status_of,
    stopping,
    training_options,
)
from mnist_core.cli.terminal import say
from mnist_core.config import RunConfig
from mnist_core.jobs import sweep_job
from mnist_core.rules import Whole, check_value
from mnist_core.runs.store import AUTOMATIC, RunStore, check_at_once
from mnist_core.sweeps.plan import MOST_SEEDS, PRUNERS, SAMPLERS, WINNER_SEEDS, Plan
from mnist_core.sweeps.space import FORMS, read_space, read_space_file

if TYPE_CHECKING:
    from mnist_core.jobs.pool import Made
    from mnist_core.sweeps.study import Study

TRIALS = Whole(1, 1_000_000)
DEFAULT_TRIALS = 50  # where neither trials nor minutes are given


def _sweep_options(parser: ArgumentParser) -> None:
    training_options(parser)
    add = parser.add_argument
    add("--space", metavar="FILE", help="a TOML file with a value, list or range for each field")
    add("--recipe", help="the network's preset for fields that are not given")
    add("--trials", metavar="N", help="how many settings are tried, in all")
    add("--sampler", help=f"one of {', '.join(SAMPLERS)}; by default tpe")
    add("--pruner", help=f"one of {', '.join(PRUNERS)}; by default percentile")
    add("--seeds", metavar="K", help="a trial is the mean over K seeds")
    add("--minimise", help="a second objective beside the accuracy: parameters or macs")
    add("--at-once", metavar="N", help="workers here, by default one a core; 0 trains nothing")
    add("--winner-seeds", metavar="N", help="seeds of the winner's test, by default 5; 0 for none")
    for name in RunConfig.option_names():
        text = RunConfig.metadata(name)["help"].replace("%", "%%")
        add("--" + name.replace("_", "-"), help=f"{text} {FORMS.capitalize()}.")


@command("sweep", "Search the best setting; run again, the same command goes on.", _sweep_options)
def sweep(options: Namespace) -> Answer:
    from mnist_core.sweeps.collect import collect_curves
    from mnist_core.sweeps.crew import Crew
    from mnist_core.sweeps.winner import train_winner
    from mnist_core.sweeps.worker import artifacts_of, check_data, check_version

    store = RunStore()
    at_once = check_at_once(options.at_once or AUTOMATIC)
    seeds = _winner_seeds(options)
    url, study = _study_to_search(options, store)
    check_version(study)
    artifacts_of(study, options.artifacts, store)
    if study.requested:
        study.keep("requested", "")
    if options.at_once is not None and not at_once:
        return status_of(study)
    at_once = at_once or os.cpu_count() or 1
    stopped = stopping(with_parent=False)
    check_data(study)
    shared = _given(options, "artifacts", "minutes", "device")
    crew = Crew(store, url, study.name, at_once, shared)
    with sweep_job.registered(store, study.name):
        if not study.is_complete():
            crew.work(_Progress(study, store).look, stopped)
        if not stopped() and study.requested != "pause":
            bring_home(study, store, options.artifacts)
            train_winner(study, store, seeds, at_once, _tell_winner)
        collect_curves(study, store)
    return status_of(study, interrupted=stopped())


def _study_to_search(options: Namespace, store: RunStore) -> tuple[str, "Study"]:
    """The storage's URL and the study: a new one, or one to go on with."""
    from mnist_core.sweeps.storage import chosen_storage, open_storage
    from mnist_core.sweeps.study import find_study, make_study, study_names

    url = chosen_storage(options.storage, store)
    trials = None if options.trials is None else check_value("trials", options.trials, TRIALS)
    check_training(options)
    plan = _plan(options)
    storage = open_storage(url)
    if plan is None:
        study = find_study(storage, url, options.name)
        if trials is not None:
            study.keep("trials", trials)
        return url, study
    names = [] if options.pruner or plan.minimise else study_names(storage)
    if options.name in names:  # it may have been begun when another pruner was the default
        plan = replace(plan, pruner=find_study(storage, url, options.name).plan.pruner)
    if trials is None:
        trials = plan.grid_size() if plan.sampler == "grid" else None
    if trials is None and options.minutes is None:
        trials = DEFAULT_TRIALS
    if plan.sampler == "grid" and trials:
        trials = min(trials, plan.grid_size())
    return url, make_study(storage, url, options.name or plan.default_name(), plan, trials)


def _plan(options: Namespace) -> Plan | None:
    """What the options describe; None where they only name a study to go on with."""
    fields = {name: getattr(options, name) for name in RunConfig.option_names()}
    given = {name: value for name, value in fields.items() if value is not None}
    if options.space is not None:
        given = {**read_space_file(Path(options.space)), **given}
    searched = ("sampler", "pruner", "seeds", "minimise", "recipe")
    if not given and options.name and not any(getattr(options, name) for name in searched):
        return None
    seeds = check_value("seeds", options.seeds or 1, Whole(1, MOST_SEEDS))
    minimise = options.minimise or ""
    pruner = options.pruner or ("none" if minimise else PRUNERS[0])
    space = read_space(given, options.recipe)
    return Plan(space, options.sampler or "tpe", pruner, seeds, minimise)


def _given(options: Namespace, *names: str) -> tuple[str, ...]:
    """These options as they were given, for another command."""
    return tuple(
        part
        for name in names
        if (value := getattr(options, name)) is not None
        for part in ("--" + name.replace("_", "-"), str(value))
    )


def _winner_seeds(options: Namespace) -> int:
    """With how many seeds the winner is trained again. Raises InputError."""
    given = WINNER_SEEDS if options.winner_seeds is None else options.winner_seeds
    return int(check_value("winner-seeds", given, Whole(0, MOST_SEEDS)))


def _tell_winner(made: "Made") -> None:
    say(f"winner: {made.run.id}")


class _Progress:
    """One line on stderr whenever another trial is done, and the table of trials for pages."""

    def __init__(self, study: "Study", store: RunStore) -> None:
        from mnist_core.sweeps.collect import Snapshots

        self.study, self.done, self.snapshots = study, -1, Snapshots(study, store)

    def look(self) -> bool:
        """Whether there are more than at the last look."""
        self.snapshots.write_if_due()
        status = self.study.status()
        done = status["trials_done"] + status["trials_failed"]
        more = done != self.done
        if more:
            self.done = done
            say(in_a_line(status))
        return more
