"""Something to try: two classes that the networks here often take for each other."""

import numpy as np
import streamlit as st

from mnist_core.dataset_specs import dataset_spec
from mnist_core.evaluation.predictions import confusions
from mnist_core.formatting import counted
from mnist_core.imaging.sample_drawings import ink, strokes_of
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore
from pages.components.playground import markup
from pages.components.playground.canvas import put
from pages.components.playground.input import Input
from pages.components.shared.cache import cached, weights_of_all


def suggest(runs: list[Run], dataset: str, one: Input | None, label: int | None) -> None:
    """A class to turn into another: the drawing's own, or one that the lab draws.

    `one` and `label`: what was drawn, and the class that the chosen network reads in it.
    """
    counts = _confusions(runs)
    drawn = label if one and one.kind == "drawing" else None
    pair = confused(counts, dataset, drawn)
    if pair is None:
        return
    classes, (start, goal) = dataset_spec(dataset).classes, pair
    first, second = classes[start], classes[goal]
    times = int(counts[start, goal] + counts[goal, start])
    why = f"The networks here take one for the other {counted(times, 'time')} in the test set."
    if drawn is not None:
        st.markdown(
            f":small[**Try:** turn this {first} into {markup.article(second)} **{second}**.]",
            help=why,
        )
        return
    lines = strokes_of(dataset, start)
    words = f"Try: turn {markup.article(first)} {first} into {markup.article(second)} {second}"
    if lines is None:
        st.markdown(f":small[**{words}.**]", help=why)
    else:
        st.button(words, key="play_try", on_click=put, args=(lines,), help=f"Draws it. {why}")


@cached(weights_of_all)
def _confusions(runs: list[Run]) -> np.ndarray:
    classes = len(dataset_spec(runs[0].config.dataset).classes)
    return confusions(RunStore(), runs, classes)


def confused(counts: np.ndarray, dataset: str, label: int | None) -> tuple[int, int] | None:
    """The two classes that are most often taken for each other; the first is `label` if given.

    Else it is the one with less ink: a pen only adds. None without any mistake.
    """
    both = counts + counts.T
    if label is not None:
        return (label, int(both[label].argmax())) if both[label].any() else None
    if not both.any():
        return None
    pair = [int(at) for at in np.unravel_index(both.argmax(), both.shape)]
    pair.sort(key=lambda at: ink(strokes_of(dataset, at) or ()))
    return pair[0], pair[1]
