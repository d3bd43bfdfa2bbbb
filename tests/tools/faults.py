"""Kills training at random moments and checks that nothing is lost.

    python -m tests.tools.faults [PART] [--kills 20] [--server-kills 2] [--seed N] [--json]

`page`: two runs on the Train page of a real server, in a real browser; their processes and the
server are killed. `queue`: five runs, one or two at a time; the scheduler, the process that is
next and those in training are killed. `extend`: runs that are trained on by the command line,
which is killed as it branches off, trains and ends. With `--clock`, the clock of the last two
jumps, too. In the end every run must be, bit for bit, what it is when nobody kills anything.
Exits with 1 when one is not.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from mnist_core.config import ENGINES
from mnist_core.runs.store import RunStore
from tests.idx_data import write_dataset
from tests.tools.faulting.clock import Clock
from tests.tools.faulting.endings import extend_faults
from tests.tools.faulting.page import REPORTED_WITHIN, run_faults
from tests.tools.faulting.queue import queue_faults
from tests.tools.live_server import Lost, a_browser
from tests.tools.report import in_lines


def carry_out_part(options: argparse.Namespace, folder: Path, seed: int) -> dict[str, object]:
    """Raises Lost; returns what was done."""
    store = RunStore(folder / "store")
    store.root.mkdir()
    if options.part == "page":
        with a_browser() as browser:
            what = options.kills, options.server_kills, seed, REPORTED_WITHIN, options.engine
            return run_faults(store, folder, browser, *what)
    part = queue_faults if options.part == "queue" else extend_faults
    return part(store, folder, Clock(folder / "clock", options.clock), options.kills, seed)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.tools.faults", description=__doc__)
    parser.add_argument("part", nargs="?", default="page", choices=("page", "queue", "extend"))
    parser.add_argument("--kills", type=int, default=20, help="of training processes")
    parser.add_argument("--server-kills", type=int, default=2)
    parser.add_argument("--engine", choices=ENGINES, default="auto", help="that trains")
    parser.add_argument("--clock", action="store_true", help="it jumps, too")
    parser.add_argument("--seed", type=int, default=None, help="of the moments")
    parser.add_argument("--json", action="store_true", help="one JSON value on stdout")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and so through every `finally`
    seed = random.randrange(10**6) if options.seed is None else options.seed
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["MNIST_DATA"] = str(write_dataset(folder / "data"))
        try:
            result = carry_out_part(options, folder, seed)
        except Lost as lost:
            print(f"seed {seed}: {lost}", file=sys.stderr)
            return 1
    result |= {"seed": seed, "seconds": round(time.monotonic() - began)}
    if options.json:
        print(json.dumps(result))
    else:
        print(in_lines(result))
        print("every final file is that of an unbroken run, bit for bit")
    return 0


if __name__ == "__main__":
    sys.exit(main())
