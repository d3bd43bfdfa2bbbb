"""What the commands for sweeps share: options, the study that they name, and how it is told."""

import os
import signal
import threading
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mnist_core.cli.command import Answer
from mnist_core.config import DEVICES
from mnist_core.formatting import percent, percent_spread
from mnist_core.rules import Choice, Number, check_value
from mnist_core.runs.store import RunStore
from mnist_core.sweeps.table import seeds_in_words

if TYPE_CHECKING:
    from mnist_core.sweeps.study import Study

MINUTES = Number(0.01, 1_000_000)


def storage_options(parser: ArgumentParser) -> None:
    add = parser.add_argument
    kinds = "a file, sqlite:///…, postgresql+psycopg://…, or grpc://host:port"
    add("--storage", help=f"where studies are kept: {kinds}; by default MNIST_STUDIES, or a file")
    add("--name", help="the study's name")


def artifacts_options(parser: ArgumentParser) -> None:
    storage_options(parser)
    told = "the folder for weights that all workers share, or s3://bucket"
    parser.add_argument("--artifacts", metavar="FOLDER", help=told)


def training_options(parser: ArgumentParser) -> None:
    """Those that `sweep` hands on to its workers."""
    artifacts_options(parser)
    parser.add_argument("--minutes", metavar="M", help="begin no trial after so many minutes")
    parser.add_argument("--device", help="auto, cpu or cuda")


def check_training(options: Namespace) -> tuple[float | None, str]:
    """The minutes and the device. Raises InputError."""
    minutes, device = options.minutes, options.device
    minutes = None if minutes is None else check_value("minutes", minutes, MINUTES)
    device = "auto" if device is None else check_value("device", device, Choice(DEVICES))
    return minutes, device


def existing(options: Namespace, store: RunStore) -> "Study":
    """The study that the options name, or the only one. Raises NotFound, or LabError."""
    from mnist_core.sweeps.storage import chosen_storage, open_storage
    from mnist_core.sweeps.study import find_study

    url = chosen_storage(options.storage, store)
    return find_study(open_storage(url), url, options.name)


def stopping(with_parent: bool) -> Callable[[], bool]:
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


def in_a_line(status: dict[str, Any]) -> str:
    of = f" of {status['trials']}" if status["trials"] else ""
    best = status["best"]
    told = f"{status['trials_done']}{of} trials done"
    if status["trials_failed"]:
        told += f", {status['trials_failed']} failed"
    return told + (f" · best {percent(best['validation_accuracy'])}" if best else "")


def as_text(status: dict[str, Any]) -> str:
    lines = [f"{status['name']} in {status['storage']}: {in_a_line(status)}"]
    if best := status["best"]:
        values = ", ".join(f"{name} {value}" for name, value in best["values"].items())
        lines.append(f"best: {best['id']} ({values})")
    if winner := status["winner"]:
        test = percent_spread(winner["test_accuracy"], winner["test_accuracy_deviation"])
        lines.append(f"winner, trained with {seeds_in_words(winner)}: test {test}")
    return "\n".join(lines)


def status_of(study: "Study", interrupted: bool = False) -> Answer:
    status = study.status()
    return Answer(status, as_text(status), status=1 if interrupted else 0)


def bring_home(
    study: "Study", store: RunStore, artifacts: str | None, unfinished: bool = True
) -> dict[str, int]:
    """Curves and weights, as far as they are not in the store (see sweeps.collect)."""
    from mnist_core.sweeps.collect import collect, collect_curves
    from mnist_core.sweeps.keeping import Keeper, artifact_store
    from mnist_core.sweeps.worker import artifacts_of

    if not (unfinished or study.is_complete()):
        return {"runs": collect_curves(study, store), "with_weights": 0}
    kept = artifact_store(artifacts_of(study, artifacts, store))
    return collect(study, store, Keeper(study, kept))
