"""A kill at any moment: before the number-th change of a file, nothing more is changed."""

import itertools
import os
from contextlib import contextmanager, suppress

import pytest


class Killed(BaseException):
    """Stands for a kill: nothing of ours catches it, nothing is tidied up."""


@contextmanager
def killed_before(number, root):
    """Ends what is done inside before its number-th change below `root`; yields what was changed.

    A change is a file that is made, put in its place or removed, or a folder that is made; a lock
    is none.
    """
    seen = []

    def watched(change):
        def instead(*given, **named):
            path = str(given[-1] if change.__name__ in ("replace", "rename") else given[0])
            makes = change.__name__ != "open" or given[1] & os.O_CREAT
            if makes and path.startswith(str(root)) and f"{os.sep}.locks" not in path:
                if len(seen) + 1 >= number:
                    raise Killed
                seen.append(f"{change.__name__} {path}")
            return change(*given, **named)

        return instead

    with pytest.MonkeyPatch.context() as patch, suppress(Killed):
        for name in ("open", "replace", "rename", "unlink", "mkdir"):
            patch.setattr(os, name, watched(getattr(os, name)))
        yield seen


def each_kill(prepare, work, root):
    """Does `work` with a kill before its first change, its second, and so on; yields after each.

    `prepare` makes what is below `root` what it was. Ends when `work` comes to its end.
    """
    for number in itertools.count(1):
        prepare()
        ended = False
        with killed_before(number, root):
            work()
            ended = True
        if ended:
            assert number > 2, "nothing was changed"
            return
        yield number
