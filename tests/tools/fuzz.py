"""Feeds the lab what nobody would write, and checks that no more than a sentence comes of it.

    python -m tests.tools.fuzz [PART…] [--cases N] [--seed N] [--json]

Each case has a seed of its own, which is printed when it fails: `--seed N --cases 1` is that case
again. A case fails with a traceback, after ten seconds, when it makes the process larger than a
gigabyte, and when something beside its folder was written. Exits with 1 when one did.

A part is a function in tests/tools/fuzzing/, in a module that is imported here: it takes a source
of chance and an empty folder, and may raise LabError or nothing.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

from mnist_core.errors import LabError
from tests.tools.fuzzing import configs, folders  # noqa: F401
from tests.tools.fuzzing.part import PARTS, Part
from tests.tools.report import in_lines

SECONDS = 10  # that a case may take
MEMORY = 2**30  # bytes that the process may have taken at most
NOISE = 2**26  # bytes by which a process that was larger before a case may grow in it
PRECIOUS = b"not yours"


class TooLong(BaseException):
    """A case that does not end. No `except Exception` catches it."""


def too_long(*_: object) -> None:
    raise TooLong


def _peak() -> int:
    """The most bytes of memory that this process has had."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def attempt(part: Part, seed: int, root: Path) -> str:
    """What is wrong with this case, or ""."""
    folder, outside = root / "inside", root / "outside"
    folder.mkdir()
    outside.write_bytes(PRECIOUS)
    allowed, before = max(MEMORY, _peak() + NOISE), signal.signal(signal.SIGALRM, too_long)
    signal.alarm(SECONDS)
    try:
        part(random.Random(seed), folder)
    except LabError as error:
        if "\n" in str(error):
            return f"more than a line: {error}"
    except TooLong:
        return f"it took more than {SECONDS} s"
    except Exception:
        return traceback.format_exc()
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
        shutil.rmtree(folder, ignore_errors=True)
    if sorted(root.iterdir()) != [outside] or outside.read_bytes() != PRECIOUS:
        return "something outside the folder was written"
    if _peak() > allowed:
        return "the process took more than a gigabyte"
    return ""


def fuzz(
    names: list[str], cases: int, seed: int, tell: Callable[[str], None] = lambda _: None
) -> dict[str, object]:
    """Runs so many cases of each part; returns what was done and which failed."""
    configs.warm_up()
    began, failed = time.monotonic(), list[dict[str, object]]()
    for name in names:
        for case in range(seed, seed + cases):
            with tempfile.TemporaryDirectory() as root:
                if wrong := attempt(PARTS[name], case, Path(root)):
                    tell(f"{name}, seed {case}: {wrong}")
                    failed.append({"part": name, "seed": case, "wrong": wrong})
    return {
        "parts": ", ".join(names),
        "cases": cases * len(names),
        "first_seed": seed,
        "failed": failed,
        "seconds": round(time.monotonic() - began),
        "peak_mb": _peak() // 2**20,
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.tools.fuzz", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--cases", type=int, default=100, help="of each part")
    parser.add_argument("--seed", type=int, default=None, help="of the first case")
    parser.add_argument("--json", action="store_true", help="one JSON value on stdout")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    warnings.simplefilter("ignore")  # of zip files that are odd on purpose
    seed = random.randrange(10**6) if options.seed is None else options.seed
    tell = lambda text: print(text, file=sys.stderr)  # noqa: E731
    result = fuzz(options.parts or [*PARTS], options.cases, seed, tell)
    if options.json:
        print(json.dumps(result))
    else:
        print(in_lines({**result, "failed": len(result["failed"])}))  # type: ignore[arg-type]
    return 1 if result["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
