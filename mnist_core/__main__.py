"""The command line: python -m mnist_core COMMAND. Every command takes --json."""

from __future__ import annotations

import argparse
import os
import sys

# Before anything imports torch: threads that wait sleep instead of spinning, or two of them on
# a busy two-core machine run 4 to 10 times slower than one.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from mnist_core.cli import commands, reproduce_commands, study_commands
from mnist_core.config import Execution, RunConfig
from mnist_core.dataset_specs import dataset_names
from mnist_core.errors import LabError


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> None:
        print(f"{self.prog}: {message}", file=sys.stderr)
        raise SystemExit(2)


def make_parser() -> Parser:
    """All commands and their options; RunConfig's and Execution's fields make train's."""
    parser = Parser(prog="python -m mnist_core", description=__doc__, allow_abbrev=False)
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, about: str) -> argparse.ArgumentParser:
        sub = subparsers.add_parser(name, help=about, description=about, allow_abbrev=False)
        sub.add_argument("--json", action="store_true", help="one JSON value on stdout")
        homes = (commands, study_commands, reproduce_commands)
        home = next(module for module in homes if hasattr(module, name))
        sub.set_defaults(run=getattr(home, name))
        return sub

    command("models", "The networks, with what each costs and sees.")
    sub = command("datasets", "The data sets, and whether their files are there.")
    sub.add_argument(
        "--download", metavar="NAME", help="fetch one of " + ", ".join(dataset_names())
    )
    command("runs", "The runs in the store, the newest first.")
    _add_train(command("train", "Train a network, or go on with a run."))
    sub = command("evaluate", "Accuracy on the test set, and the confusion matrix.")
    sub.add_argument("id", metavar="RUN", help="the run's id")
    sub = command("predict", "What a run's network reads in pictures of your own.")
    sub.add_argument("id", metavar="RUN", help="the run's id")
    sub.add_argument("images", metavar="IMAGE", nargs="+", help="a drawing, scan or photograph")
    sub = command("layers", "A network layer by layer: what each costs, and its receptive field.")
    sub.add_argument("names", metavar="NETWORK", nargs="*", help="all of them if none is given")
    sub = command("fields", "The receptive fields of a run's network, as measured by gradients.")
    sub.add_argument("ids", metavar="RUN", nargs="+", help="a run's id")
    for way in ("row", "column"):
        sub.add_argument(f"--{way}", default="0.5", help=f"the unit's {way} in its map, 0 to 1")
    sub = command("robustness", "How runs fare on test images made harder; kept with each run.")
    sub.add_argument("ids", metavar="RUN", nargs="+", help="a run's id")
    sub = command("bench", "Measures what the lab's own figures of speed say, on this machine.")
    about = "training (if none is given): how fast, beside what others do; table: what was measured"
    about += "; networks: what each costs"
    whats = ("training", "table", "networks")
    sub.add_argument("what", nargs="?", default=whats[0], choices=whats, help=about)
    sub.add_argument("--only", metavar="NAME", nargs="+", help="training: these measurements only")
    _add_train(command("speed", "How long training with these settings takes on this machine."))
    sub = command("reproduce", "Makes what ships with the lab, and goes on where it stopped.")
    what = "grid: a run for every setting of the sliders; zoo: every network of the references; "
    what += "table: what the zoo reached, beside what was published"
    sub.add_argument("what", choices=("grid", "zoo", "table"), help=what)
    sub.add_argument("--only", metavar="NAME", nargs="+", help="zoo: these networks only")
    sub.add_argument("--seeds", metavar="N", help="zoo: the first N seeds only")
    sub.add_argument(
        "--at-once", default=None, help="runs at a time; as many as cores if not given"
    )
    return parser


def _add_train(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--recipe", help="the network's preset to start from; its first if not given")
    sub.add_argument("--config", metavar="FILE", help="a config.json to train")
    sub.add_argument("--resume", metavar="RUN", help="go on with a run that was interrupted")
    sub.add_argument("--extend", metavar="RUN", help="train a finished run on, to --epochs in all")
    queue = "wait for its turn: as many train at once as the store's setting says"
    sub.add_argument("--queue", action="store_true", help=queue)
    sub.add_argument("--at-once", metavar="N", help="wait for its turn: N train at once")
    for owner in (RunConfig, Execution):
        for name in owner.names():
            knob = owner.metadata(name)
            text = f"{knob['help']} {knob['rule'].allowed.capitalize()}.".replace("%", "%%")
            sub.add_argument("--" + name.replace("_", "-"), default=None, help=text)


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; returns the exit status: 2 for bad input, 130 after Ctrl-C."""
    parser = make_parser()
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
    if hasattr(sys.stdout, "reconfigure"):  # a terminal may lack kana
        sys.stdout.reconfigure(errors="backslashreplace")
    options = parser.parse_args(arguments)
    try:
        status = options.run(options)
        sys.stdout.flush()
        return status
    except LabError as error:
        print(f"{parser.prog} {options.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of a pipe went away, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (MemoryError, RuntimeError) as error:
        if "memory" not in f"{type(error).__name__} {error}".lower():
            raise
        advice = "there is not enough memory; a smaller batch size is the first thing to try"
        print(f"{parser.prog} {options.command}: {advice}", file=sys.stderr)
        return 2
    except OSError as error:  # of a file that this user may not read or write
        where = error.filename or "output"
        print(f"{parser.prog} {options.command}: {where}: {error.strerror}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
