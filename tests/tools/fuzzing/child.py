"""Runs cases of a part in a process of their own: one that hangs or dies takes no other with it.

    python -m tests.tools.fuzzing.child PART FIRST COUNT

The process tells of each case by one line of JSON on its stdout: `seed`, `wrong` and `peak`. It
ends after COUNT cases, and gives back the memory that so many odd inputs have left behind.
"""

import json
import os
import select
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.tools.fuzzing.all_parts import PARTS
from tests.tools.fuzzing.attempt import WAITING, attempt, peak

PATIENCE = WAITING + 60  # seconds without a word after which a process is ended
START = 300  # seconds until the first word: a busy machine takes long to import torch
PROJECT = Path(__file__).parents[3]


def cases(part: str, seeds: range) -> Iterator[dict[str, Any]]:
    """Runs the case of each seed in turn; yields `seed`, `wrong` ("" for nothing) and `peak`."""
    left = seeds
    while left:
        told = 0
        for each in _in_a_process(part, left[: PARTS[part].count]):
            told += 1
            yield each
        left = left[told:]


def _in_a_process(part: str, seeds: range) -> Iterator[dict[str, Any]]:
    """The cases of one process; where it hangs or dies, what is wrong with the last of them."""
    command = [sys.executable, "-m", "tests.tools.fuzzing.child", part]
    command += [str(seeds[0]), str(len(seeds))]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE) as process:
        assert process.stdout
        patience = START
        for seed in seeds:
            if not select.select([process.stdout], [], [], patience)[0]:
                process.kill()
                yield {"seed": seed, "wrong": "the process hung", "peak": 0}
                return
            line = process.stdout.readline()
            if not line:
                wrong = f"the process ended with {process.wait()}"
                yield {"seed": seed, "wrong": wrong, "peak": 0}
                return
            yield json.loads(line)
            patience = PATIENCE


def _main(part: str, first: int, count: int) -> None:
    tell = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a case prints is no answer
    warnings.simplefilter("ignore")  # of zip files that are odd on purpose
    PARTS[part].prepare()
    for seed in range(first, first + count):
        with tempfile.TemporaryDirectory() as root:
            wrong = attempt(PARTS[part].case, seed, Path(root))
        print(json.dumps({"seed": seed, "wrong": wrong, "peak": peak()}), file=tell, flush=True)
    tell.flush()
    os._exit(0)  # a thread of a case that took too long must not keep the process


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
