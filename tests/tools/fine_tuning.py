"""What fine-tuning on a person's handwriting brings, measured with made-up handwriting.

`python -m tests.tools.fine_tuning [NETWORK…]` prints the README's table: a writer whose digits are
narrow, slanted and European, with 20, 50 and 100 drawings. More drawings of the same writer, which
take no part, tell whether leaving out gives the right figure. Needs MNIST in MNIST_DATA.
"""

import functools
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from mnist_core.analysis.fine_tuned import outcome
from mnist_core.config import Execution
from mnist_core.data.handwriting import Handwriting, as_read
from mnist_core.data.tuning_set import Source, read_tuning_set
from mnist_core.evaluation.network import load_network
from mnist_core.formatting import markdown_table, percent
from mnist_core.jobs.fine_tune import plan, prepare
from mnist_core.jobs.worker import carry_out
from mnist_core.models import make_config, model_spec, model_title
from mnist_core.paths import PROJECT
from mnist_core.runs.store import RunStore
from tests import drawing

NETWORKS = ("lenet5", "fast", "ultrasmall")
SIZES, MORE, SIDE = (20, 50, 100), 1000, 200
PEN, SLANT, NARROW = 0.05, 0.8, 0.6  # of the height; to the right; width
# Where this writer's shapes are others than those of tests.drawing: a slashed 0, a 1 with a long
# upstroke, a 2 with a loop, an open 4, a 7 with a bar, a 9 with a tail.
HAND = {
    0: [drawing.arc(0.35, 0.5, 0.32, 0.5, -90, 270), [(0.62, 0.02), (0.08, 0.98)]],
    1: [[(0.0, 0.62), (0.45, 0.0), (0.45, 1.0)]],
    2: [
        drawing.arc(0.33, 0.28, 0.31, 0.28, -165, 35)
        + drawing.arc(0.16, 0.88, 0.14, 0.12, -20, -380)
        + [(0.75, 0.97)]
    ],
    4: [[(0.45, 0.0), (0.02, 0.65), (0.75, 0.65)], [(0.5, 0.42), (0.42, 1.0)]],
    7: [[(0.0, 0.12), (0.06, 0.02), (0.62, 0.0), (0.24, 1.0)], [(0.08, 0.52), (0.66, 0.48)]],
    9: [
        drawing.arc(0.32, 0.26, 0.28, 0.26, 0, -360)
        + [(0.6, 0.26), (0.58, 0.75)]
        + drawing.arc(0.32, 0.75, 0.26, 0.25, 0, 150)
    ],
}
HEADS = ("network", "drawings", "what learns", "left out, before %", "after %")
HEADS += ("1,000 others, before %", "after %", "MNIST test, before %", "after %", "CPU s")


def drawn(digit: int, random: np.random.Generator) -> np.ndarray:
    """(h, w) uint8 ink, as the canvas saves it: the writer's digit, each time a bit otherwise."""
    lines = [np.asarray(line, float) for line in HAND.get(digit, drawing.TEMPLATES[digit])]
    turn, slant = random.normal(0, 0.05), SLANT + random.normal(0, 0.08)
    shape = np.array([[NARROW * random.uniform(0.85, 1.15), -slant + turn], [-turn, 1.0]])
    wave, phase = random.normal(0, 0.03, 2), random.uniform(0, 6.3, 2)
    lines = [p @ shape.T + wave * np.sin(5 * p[:, ::-1] + phase) for p in lines]
    low = np.min([p.min(0) for p in lines], 0)
    height = 0.6 * SIDE
    lines = [(p - low) * height + 0.2 * SIDE for p in lines]
    pen = PEN * height * random.uniform(0.8, 1.3)
    return np.asarray(drawing.ink_mask(lines, pen, SIDE + SIDE // 2))


def writer(count: int, seed: int) -> tuple[list[np.ndarray], list[int]]:
    """So many drawings of one person, as many of each digit as can be."""
    random = np.random.default_rng(seed)
    labels = [number % 10 for number in range(count)]
    return [drawn(label, random) for label in labels], labels


@functools.cache
def more_drawings() -> tuple[np.ndarray, list[int]]:
    """(N, 28, 28) uint8 and labels: drawings of the same writer that take no part."""
    pictures, labels = writer(MORE, seed=2)
    return np.stack([as_read(picture, "MNIST") for picture in pictures]), labels


def measure(model: str, count: int, part: str, home: Path) -> list[str]:
    """A row of the table."""
    store = RunStore(home / f"{model}-{count}-{part}")
    names = [recipe.name for recipe in model_spec(model).recipes]
    recipe = "improved" if "improved" in names else names[0]
    config = make_config(model, recipe)
    shutil.copytree(PROJECT / "checkpoints" / config.id, store.root / config.id)
    parent, own = store.get(config.id), Handwriting(store.root, "MNIST")
    for picture, label in zip(*writer(count, seed=1), strict=True):
        own.add(picture, label)
    drawings = read_tuning_set(store.root, "MNIST", Source("everybody"))
    tuned = plan(store, parent, drawings, part)
    prepare(store, parent, tuned, drawings)
    began = time.process_time()
    run = carry_out(store, tuned, Execution(threads=1))
    seconds = time.process_time() - began
    found = outcome(run)
    assert found and found.report.test, run.summary.note
    images, labels = more_drawings()
    others = [
        float((load_network(each).logits(images).argmax(1) == labels).mean())
        for each in (parent, run)
    ]
    left, test = found.left_out, found.report.test
    shares = [left.before / count, left.after / count, *others]
    cells = [percent(share, 1).removesuffix(" %") for share in shares]
    cells += [percent(n / test.images).removesuffix(" %") for n in (test.before, test.after)]
    return [model_title(model), str(count), part, *cells, f"{seconds:.1f}"]


def main() -> None:
    """Prints the table, row by row."""
    rows = []
    with tempfile.TemporaryDirectory() as home:
        for model in sys.argv[1:] or NETWORKS:
            for count in SIZES:
                for part in ("last", "all"):
                    rows.append(measure(model, count, part, Path(home)))
                    print(*rows[-1], sep=" | ", file=sys.stderr, flush=True)
    print("\n".join(markdown_table(HEADS, rows)))


if __name__ == "__main__":
    main()
