"""The lab's command line. Every command takes --json."""

import argparse
import os
import sys
from pathlib import Path

# Before anything imports torch: threads that wait sleep instead of spinning, or two of them on
# a busy two-core machine run 4 to 10 times slower than one.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# In the order in which --help lists them.
from mnist_core.cli import catalog, train, fine_tune, schedule, sweep, studies  # noqa: F401, I001
from mnist_core.cli import predict, layers, novelty, image_map, organise  # noqa: F401
from mnist_core.cli import export, reproduce, bench  # noqa: F401
from mnist_core.cli.command import COMMANDS
from mnist_core.cli.terminal import print_json, printable, say
from mnist_core.errors import LabError, in_one_line, is_about_memory

MODULE = "python -m mnist_core"
SCRIPT = "mnist-lab"


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> None:  # type: ignore[override]
        say(f"{self.prog}: {message}")
        raise SystemExit(2)


def make_parser() -> Parser:
    """A parser with all registered commands and their options."""
    program = SCRIPT if Path(sys.argv[0]).stem == SCRIPT else MODULE
    parser = Parser(prog=program, description=__doc__, allow_abbrev=False)
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, each in COMMANDS.items():
        sub = subparsers.add_parser(
            name, help=each.about, description=each.about, allow_abbrev=False
        )
        sub.add_argument("--json", action="store_true", help="one JSON value on stdout")
        each.add_options(sub)
        sub.set_defaults(run=each.run)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; returns the exit status: 2 for bad input, 130 after Ctrl-C."""
    parser = make_parser()
    _open_closed_streams()
    for given in sys.argv[1:] if arguments is None else arguments:
        if given.startswith("--") and given.endswith("=--"):  # argparse makes no value of it
            parser.error(f"{given.removesuffix('=--')}: -- was given; a value is needed")
    options = parser.parse_args(arguments)
    prefix = f"{parser.prog} {options.command}"
    try:
        answer = options.run(options)
        if options.json:
            print_json(answer.value, answer.indent)
        else:
            print(printable(answer.text))
        sys.stdout.flush()
        return answer.status
    except LabError as error:
        return _complain(prefix, str(error))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of a pipe went away, as `head` does
        _write_no_more()
        return 141
    except OSError as error:  # of a file that this user may not read or write
        if error.filename is None:  # of the output, which would fail once more at the end
            _write_no_more()
        return _complain(prefix, f"{error.filename or 'output'}: {error.strerror}")
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        return _complain(prefix, _unforeseen(error))


def _open_closed_streams() -> None:
    """Output that the caller has closed goes nowhere; a terminal may lack a character."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")


def _unforeseen(error: Exception) -> str:
    """One sentence of what neither the lab nor whoever called it meant to happen."""
    if is_about_memory(error):
        return "there is not enough memory; try a smaller batch size first"
    return f"it failed with {in_one_line(error)}; python -X dev -m mnist_core … shows where"


def _complain(prefix: str, message: str) -> int:
    say(f"{prefix}: {message}")
    return 2


def _write_no_more() -> None:
    """What is left to be written to stdout goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
