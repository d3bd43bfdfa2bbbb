"""Measures the server's own share of an answer, without a browser: the page runs for a new drawing.

    python -m tests.tools.server_speed        # 100 drawings, eight networks voting

Wall time, and processor time, which a busy machine does not change. Eight networks with random
weights vote, unless MNIST_CHECKPOINTS names a store.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
import time
import types
from pathlib import Path

import numpy as np

from tests.app.play_canvas import Canvas, open_page, words
from tests.tools.drawing_speed import random_runs, tell


def measure(count: int) -> list[dict[str, float]]:
    """Milliseconds of `count` runs of the page, each for another drawing."""
    canvas, rng, rows = Canvas(), np.random.default_rng(0), []
    module = types.ModuleType("streamlit_drawable_canvas")
    module.st_canvas = canvas.st_canvas
    sys.modules[module.__name__] = module
    page = open_page()
    for number in range(count + 5):  # the first ones load what later ones find
        canvas.send(page, int(rng.integers(10)), size=float(rng.uniform(0.3, 0.9)))
        wall, processor = time.perf_counter(), time.process_time()
        page.run()
        took = {"wall": time.perf_counter() - wall, "processor": time.process_time() - processor}
        assert not page.exception and "Yours" in words(page)
        if number >= 5:
            rows.append({name: 1000 * seconds for name, seconds in took.items()})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--drawings", type=int, default=100)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        if "MNIST_CHECKPOINTS" not in os.environ:
            os.environ["MNIST_CHECKPOINTS"] = str(random_runs(Path(folder) / "store").root)
        tell(measure(options.drawings))


if __name__ == "__main__":
    main()
