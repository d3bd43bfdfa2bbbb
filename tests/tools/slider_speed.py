"""Measures how long the server takes to show a cached setting.

    python -m tests.tools.slider_speed [--moves N]

Moves the four sliders of the Train page at random over the grid that ships, with no data set
present, and times each run of the page's script, from the move to its last element.
"""

import argparse
import json
import os
import random
import statistics
import tempfile
import time
from pathlib import Path

from streamlit.testing.v1 import AppTest

from mnist_core.models.grid import AXES, DATASETS, grid_configs
from mnist_core.runs.store import RunStore

PAGE = Path(__file__).parents[2] / "pages" / "train.py"


def measure(moves: int, seed: int = 1) -> dict:
    """Seconds for each move, wall and CPU of this process; every setting must be a real run."""
    shipped = {config.id for name in DATASETS for config in grid_configs(name)}
    have = {run.id for run in RunStore().list()[0]}
    draw = random.Random(seed)
    page = AppTest.from_file(str(PAGE), default_timeout=120).run()
    wall, cpu, seen = [], [], set()
    for _ in range(moves):
        name = draw.choice(list(AXES))
        widget = page.button_group(key=f"control_{name}")
        value = draw.choice([value for value in AXES[name] if value != widget.value])
        widget.set_value(value)
        began, worked = time.perf_counter(), time.process_time()
        page.run()
        wall.append(time.perf_counter() - began)
        cpu.append(time.process_time() - worked)
        config = page.session_state["train"]
        assert not page.exception and config.id in shipped, config
        assert getattr(config, name) == value
        seen.add(config.id)
    return {
        "moves": moves,
        "settings": len(seen),
        "cached": len(seen & have),
        "wall_median_ms": round(1000 * statistics.median(wall), 1),
        "wall_p95_ms": round(1000 * statistics.quantiles(wall, n=20)[-1], 1),
        "cpu_median_ms": round(1000 * statistics.median(cpu), 1),
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--moves", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as empty:
        os.environ["MNIST_DATA"] = empty
        print(json.dumps(measure(options.moves)))


if __name__ == "__main__":
    main()
