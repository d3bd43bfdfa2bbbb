"""Has the cost of training measured once, by a process of its own."""

import os
from contextlib import suppress

from filelock import Timeout

from mnist_core.config import RunConfig
from mnist_core.data.augment import MOVES
from mnist_core.jobs import spawn
from mnist_core.locks import held, named_lock
from mnist_core.runs.store import RunStore
from mnist_core.training import cost
from mnist_core.training.cost import COSTLY


def measure_in_background(store: RunStore, config: RunConfig) -> bool:
    """Has the cost measured by a process of its own; False while another one is measuring.

    Raises LabError when the store cannot be written.
    """
    lock = named_lock(store.root, "measuring")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    lock.release()
    command = ["speed", "--model", config.model]
    for name in ("activation", "batch_size", "input_size", *MOVES, *COSTLY):
        command += [f"--{name.replace('_', '-')}", str(getattr(config, name))]
    command += ["--layers", config.layers] if config.layers else []
    spawn.start(store, command, store.root / ".speed.log")
    return True


def measure_once(store: RunStore, config: RunConfig) -> cost.Cost:
    """Measures the cost and keeps it, unless it is known; in a process that did nothing before.

    Raises LabError when another process is measuring.
    """
    busy = "Another process is measuring; look again."
    with held(named_lock(store.root, "measuring"), otherwise=busy):
        known = cost.load(store, config)
        if known:
            return known
        with suppress(OSError, AttributeError):  # no such thing on Windows
            os.nice(10)  # a measurement gives way to whatever else the machine does
        from mnist_core.training.measure import measure

        measured = measure(config)
        cost.save(store, config, measured)
        return measured
