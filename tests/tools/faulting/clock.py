"""A clock that jumps, for this process and for all that it starts."""

from __future__ import annotations

import os
import random
from pathlib import Path

DAY = 86_400
PROGRAM = """
import os, time

_seconds, _nanoseconds, _file = time.time, time.time_ns, os.environ["LAB_CLOCK"]


def _offset():
    try:
        with open(_file) as file:
            return int(file.read() or 0)
    except (OSError, ValueError):
        return 0


time.time = lambda: _seconds() + _offset()
time.time_ns = lambda: _nanoseconds() + 10**9 * _offset()
"""


class Clock:
    """Python imports sitecustomize when a process starts; this one sets the clock of each.

    Times of files are the system's own, so everything also seems hours old, or not yet there.
    """

    def __init__(self, folder: Path, jumping: bool) -> None:
        self.file, self.jumping, self.jumps = folder / "offset", jumping, 0
        if jumping:
            folder.mkdir()
            (folder / "sitecustomize.py").write_text(PROGRAM)
            os.environ |= {"PYTHONPATH": str(folder), "LAB_CLOCK": str(self.file)}
            exec(PROGRAM, {})  # in this process, too

    def jump(self, chance: random.Random) -> None:
        """Sets it a second to a day ahead or back, or right again."""
        if self.jumping:
            self.file.write_text(str(chance.choice((0, 1, 2, 3600, DAY, -2, -3600, -DAY))))
            self.jumps += 1
