"""How many threads suit a run on this machine. Loads without torch."""

import os

from mnist_core.config import RunConfig
from mnist_core.models.stats import stats_for

MAX_AUTO_THREADS = 4  # networks as small as these gain nothing from more
# Multiply-accumulates of a step's forward pass: LeNet-5 with 76 images. On two cores, the second
# thread makes its steps 1.05 times as fast with 48 images, 1.2 with 96 and 1.6 with 256 where the
# native engine computes them; with torch 0.9 with 64, 1.2 with 128 and 1.4 with 256.
SMALL_STEP = 32e6


def choose_threads(threads: int, config: RunConfig | None = None) -> int:
    """The number of CPU threads to use: as asked, or what suits this machine and the config.

    That is one where a step is so small that dividing it takes as long as it saves.
    """
    if threads:
        return threads
    macs = stats_for(config).get("macs") if config else None
    if config and macs and macs * config.batch_size < SMALL_STEP:
        return 1
    return min(MAX_AUTO_THREADS, os.cpu_count() or 1)
