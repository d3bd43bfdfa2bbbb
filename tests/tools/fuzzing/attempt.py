"""One case of the fuzz program, with what it may take and what it must leave alone."""

import random
import resource
import shutil
import signal
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mnist_core.errors import LabError
from tests.tools.fuzzing.part import Case

SECONDS = 10  # of computing that a case may take, however many others share the machine
WAITING = 60  # seconds, by a clock, after which a case does not end
MEMORY = 2**30  # bytes that the process may have taken at most
NOISE = 2**26  # bytes by which a process that was larger before a case may grow in it
PRECIOUS = b"not yours"


class TooLong(BaseException):
    """A case that does not end. No `except Exception` catches it."""


@contextmanager
def _limited_time() -> Iterator[None]:
    """Raises TooLong for what computes longer than SECONDS, or waits longer than WAITING."""

    def too_long(number: int, _: object) -> None:
        computed = number == signal.SIGPROF
        raise TooLong(f"{SECONDS} s of computing" if computed else f"{WAITING} s")

    timers = {signal.SIGPROF: (signal.ITIMER_PROF, SECONDS)}
    timers[signal.SIGALRM] = (signal.ITIMER_REAL, WAITING)
    before = {number: signal.signal(number, too_long) for number in timers}
    try:
        for timer, seconds in timers.values():
            signal.setitimer(timer, seconds)
        yield
    finally:
        for number, (timer, _) in timers.items():
            signal.setitimer(timer, 0)
            signal.signal(number, before[number])


def peak() -> int:
    """The most bytes of memory that this process has had."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def attempt(case: Case, seed: int, root: Path) -> str:
    """What is wrong with this case, or ""."""
    folder, outside = root / "inside", root / "outside"
    folder.mkdir()
    outside.write_bytes(PRECIOUS)
    allowed = max(MEMORY, peak() + NOISE)
    try:
        with _limited_time():
            case(random.Random(seed), folder)
    except LabError as error:
        if "\n" in str(error):
            return f"more than a line: {error}"
    except TooLong as error:
        return f"it took more than {error}"
    except Exception:
        return traceback.format_exc()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if sorted(root.iterdir()) != [outside] or outside.read_bytes() != PRECIOUS:
        return "something outside the folder was written"
    if peak() > allowed:
        return "the process took more than a gigabyte"
    return ""
