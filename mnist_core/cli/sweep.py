"""The commands `sweep`, `sweep-worker`, `sweep-status` and `sweep-collect`."""

import os
import signal
import threading
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnist_core.cli.command import Answer, command
from mnist_core.cli.terminal import say
from mnist_core.config import DEVICES, Choice, Number, RunConfig, Whole, check_value
from mnist_core.formatting import counted, percent, percent_spread
from mnist_core.jobs import sweep_job
from mnist_core.runs.store import AUTOMATIC, RunStore, check_at_once
from mnist_core.sweeps.plan import MOST_SEEDS, PRUNERS, SAMPLERS, WINNER_SEEDS, Plan
from mnist_core.sweeps.space import FORMS, read_space, read_space_file

if TYPE_CHECKING:
    from mnist_core.sweeps.study import Study

TRIALS = Whole(1, 1_000_000)
DEFAULT_TRIALS = 50  # where neither trials nor minutes are given
MINUTES = Number(0.01, 1_000_000)


def _storage_options(parser: ArgumentParser) -> None:
    add = parser.add_argument
    kinds = "a file, sqlite:///…, postgresql+psycopg://…, or grpc://host:port"
    add("--storage", help=f"where studies are kept: {kinds}; by default MNIST_STUDIES, or a file")
    add("--name", help="the study's name")


def _shared_options(parser: ArgumentParser) -> None:
    """Those that `sweep` hands on to its workers."""
    _storage_options(parser)
    add = parser.add_argument
    add("--artifacts", metavar="FOLDER", help="what all workers share for weights, or s3://bucket")
    add("--minutes", metavar="M", help="begin no trial after so many minutes")
    add("--device", help="auto, cpu or cuda")


def _worker_options(parser: ArgumentParser) -> None:
    _shared_options(parser)
    parser.add_argument("--with-parent", action="store_true", help="end when stdin closes")


def _collect_options(parser: ArgumentParser) -> None:
    _storage_options(parser)
    parser.add_argument("--artifacts", metavar="FOLDER", help="where the weights are")


def _sweep_options(parser: ArgumentParser) -> None:
    _shared_options(parser)
    add = parser.add_argument
    add("--space", metavar="FILE", help="a TOML file with a value, list or range for each field")
    add("--recipe", help="the network's preset for fields that are not given")
    add("--trials", metavar="N", help="how many settings are tried, in all")
    add("--sampler", help=f"one of {', '.join(SAMPLERS)}; by default tpe")
    add("--pruner", help=f"one of {', '.join(PRUNERS)}; by default median")
    add("--seeds", metavar="K", help="a trial is the mean over K seeds")
    add("--minimise", help="a second objective beside the accuracy: parameters or macs")
    add("--at-once", metavar="N", help="workers here, by default one a core; 0 trains nothing")
    add("--winner-seeds", metavar="N", help="seeds of the winner's test, by default 5; 0 for none")
    for name in RunConfig.names():
        text = RunConfig.metadata(name)["help"].replace("%", "%%")
        add("--" + name.replace("_", "-"), help=f"{text} {FORMS.capitalize()}.")


@command("sweep", "Search the best setting; run again, the same command goes on.", _sweep_options)
def sweep(options: Namespace) -> Answer:
    from mnist_core.sweeps.collect import collect_curves
    from mnist_core.sweeps.crew import Crew
    from mnist_core.sweeps.worker import artifacts_of, check_data, check_version

    store = RunStore()
    url, study = _study_to_search(options, store)
    check_version(study)
    artifacts_of(study, options.artifacts, store)
    at_once = check_at_once(options.at_once or AUTOMATIC)
    if options.at_once is not None and not at_once:
        return _status(study)
    at_once = at_once or os.cpu_count() or 1
    study.keep("requested", "")
    stopping = _stopping(with_parent=False)
    check_data(study)
    shared = _given(options, "artifacts", "minutes", "device")
    crew = Crew(store, url, study.name, at_once, shared)
    with sweep_job.registered(store, study.name):
        if not study.is_complete():
            crew.work(_Progress(study, store).look, stopping)
        if not stopping() and study.requested != "pause":
            _finish(study, store, options, at_once)
        collect_curves(study, store)
    return _status(study, interrupted=stopping())


def _study_to_search(options: Namespace, store: RunStore) -> tuple[str, "Study"]:
    """The storage's URL and the study: a new one, or one to go on with."""
    from mnist_core.sweeps.storage import chosen_storage, open_storage
    from mnist_core.sweeps.study import find_study, make_study

    url = chosen_storage(options.storage, store)
    trials = None if options.trials is None else check_value("trials", options.trials, TRIALS)
    _check_numbers(options)
    plan = _plan(options)
    storage = open_storage(url)
    if plan is None:
        study = find_study(storage, url, options.name)
        if trials is not None:
            study.keep("trials", trials)
        return url, study
    if trials is None:
        trials = plan.grid_size() if plan.sampler == "grid" else None
    if trials is None and options.minutes is None:
        trials = DEFAULT_TRIALS
    if plan.sampler == "grid" and trials:
        trials = min(trials, plan.grid_size())
    return url, make_study(storage, url, options.name or plan.default_name(), plan, trials)


def _plan(options: Namespace) -> Plan | None:
    """What the options describe; None where they only name a study to go on with."""
    fields = {name: getattr(options, name) for name in RunConfig.names()}
    given = {name: value for name, value in fields.items() if value is not None}
    if options.space is not None:
        given = {**read_space_file(Path(options.space)), **given}
    searched = ("sampler", "pruner", "seeds", "minimise", "recipe")
    if not given and options.name and not any(getattr(options, name) for name in searched):
        return None
    seeds = check_value("seeds", options.seeds or 1, Whole(1, MOST_SEEDS))
    minimise = options.minimise or ""
    pruner = options.pruner or ("none" if minimise else "median")
    space = read_space(given, options.recipe)
    return Plan(space, options.sampler or "tpe", pruner, seeds, minimise)


def _check_numbers(options: Namespace) -> None:
    if options.minutes is not None:
        check_value("minutes", options.minutes, MINUTES)
    if options.device is not None:
        check_value("device", options.device, Choice(DEVICES))


def _given(options: Namespace, *names: str) -> tuple[str, ...]:
    """These options as they were given, for another command."""
    return tuple(
        part
        for name in names
        if (value := getattr(options, name)) is not None
        for part in ("--" + name.replace("_", "-"), str(value))
    )


def _finish(study: "Study", store: RunStore, options: Namespace, at_once: int) -> None:
    """The winner is trained with several seeds and tested, and everything is brought home."""
    from mnist_core.sweeps.winner import train_winner

    seeds = WINNER_SEEDS if options.winner_seeds is None else options.winner_seeds
    number = check_value("winner-seeds", seeds, Whole(0, MOST_SEEDS))
    _collect(study, store, options.artifacts)
    train_winner(study, store, number, at_once, lambda made: say(f"winner: {made.run.id}"))


@command("sweep-worker", "Take trials of a study until none are left.", _worker_options)
def sweep_worker(options: Namespace) -> Answer:
    from mnist_core.sweeps.worker import Worker, artifacts_of, check_data

    _check_numbers(options)
    store = RunStore()
    study = _existing(options, store)
    check_data(study)
    minutes = None if options.minutes is None else check_value("minutes", options.minutes, MINUTES)
    worker = Worker(
        study,
        store,
        artifacts_of(study, options.artifacts, store),
        _stopping(options.with_parent),
        minutes=minutes,
        device=options.device or "auto",
        on_trial=None if options.with_parent else _tell_trial,
    )
    finished = worker.work()
    text = f"{counted(finished, 'trial')} done by this worker\n{_text(study)}"
    return Answer({**study.status(), "trials_by_worker": finished}, text)


@command("sweep-status", "How far a study is, and its best trial.", _storage_options)
def sweep_status(options: Namespace) -> Answer:
    return _status(_existing(options, RunStore()))


@command("sweep-collect", "Bring a study's curves and best networks home.", _collect_options)
def sweep_collect(options: Namespace) -> Answer:
    """Of one study; without a name, of all that the storage has.

    Of several, those in progress bring no weights: which are the best ten is not known yet.
    """
    from mnist_core.sweeps.storage import chosen_storage, open_storage
    from mnist_core.sweeps.study import find_study, studies_in

    store = RunStore()
    url = chosen_storage(options.storage, store)
    storage = open_storage(url)
    one = find_study(storage, url, options.name) if options.name else None
    brought = [
        {**study.status(), **_collect(study, store, options.artifacts, bool(one))}
        for study in ([one] if one else studies_in(storage, url))
    ]
    lines = [
        f"{counted(each['runs'], 'run')} in {store.sweep_path(each['name'])}, "
        f"{each['with_weights']} of them with weights"
        for each in brought
    ]
    return Answer(brought[0] if one else brought, "\n".join(lines) or "there are no studies")


def _collect(
    study: "Study", store: RunStore, artifacts: str | None, unfinished: bool = True
) -> dict[str, int]:
    from mnist_core.sweeps.collect import collect, collect_curves
    from mnist_core.sweeps.keeping import Keeper, artifact_store
    from mnist_core.sweeps.worker import artifacts_of

    if not (unfinished or study.is_complete()):
        return {"runs": collect_curves(study, store), "with_weights": 0}
    kept = artifact_store(artifacts_of(study, artifacts, store))
    return collect(study, store, Keeper(study, kept))


def _existing(options: Namespace, store: RunStore) -> "Study":
    from mnist_core.sweeps.storage import chosen_storage, open_storage
    from mnist_core.sweeps.study import find_study

    url = chosen_storage(options.storage, store)
    return find_study(open_storage(url), url, options.name)


def _stopping(with_parent: bool) -> Callable[[], bool]:
    """Whether this process is to end: Ctrl-C, termination, or a parent that has ended."""
    over = threading.Event()

    def handle(*_: Any) -> None:
        if over.is_set():
            raise KeyboardInterrupt
        over.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handle)

    def wait_for_parent() -> None:
        while os.read(0, 1):  # not through sys.stdin, whose lock would stay taken at the end
            pass
        over.set()

    if with_parent:
        threading.Thread(target=wait_for_parent, daemon=True).start()
    return over.is_set


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
            say(_line(status))
        return more


def _tell_trial(trial: Any) -> None:
    value = percent(trial.values[0]) if trial.values else "no result"
    say(f"trial {trial.number}: {value}, {trial.state.name.lower()}, {trial.params}")


def _line(status: dict[str, Any]) -> str:
    of = f" of {status['trials']}" if status["trials"] else ""
    best = status["best"]
    told = f"{status['trials_done']}{of} trials done"
    if status["trials_failed"]:
        told += f", {status['trials_failed']} failed"
    return told + (f" · best {percent(best['validation_accuracy'])}" if best else "")


def _text(study: "Study") -> str:
    status = study.status()
    lines = [f"{status['name']} in {status['storage']}: {_line(status)}"]
    if best := status["best"]:
        values = ", ".join(f"{name} {value}" for name, value in best["values"].items())
        lines.append(f"best: {best['id']} ({values})")
    if winner := status["winner"]:
        test = percent_spread(winner["test_accuracy"], winner["test_accuracy_deviation"])
        lines.append(f"winner, trained with {winner['seeds']} seeds: test {test}")
    return "\n".join(lines)


def _status(study: "Study", interrupted: bool = False) -> Answer:
    return Answer(study.status(), _text(study), status=1 if interrupted else 0)
