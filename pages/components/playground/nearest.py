"""The training images that the chosen network finds most like what it reads."""

from html import escape

import streamlit as st

from mnist_core.data.idx import missing_files
from mnist_core.dataset_specs import dataset_spec
from mnist_core.errors import LabError
from mnist_core.imaging import tiles
from mnist_core.inspection.nearest import Candidates, candidates
from mnist_core.paths import data_root
from mnist_core.runs.run import Run
from pages.components.playground import markup
from pages.components.playground.input import Input
from pages.components.playground.networks import network
from pages.components.shared.cache import cached, weights_of

COUNT = 6
THUMB = 2  # screen pixels a side for each of 28


def show_nearest(run: Run, given: Input) -> None:
    """A row of them, each with its class; nothing where the images are not on this machine."""
    if missing_files(given.dataset, data_root()):
        return
    try:
        found, one = _candidates(run), network(run)
    except LabError:  # the files of the data set are damaged; Train says how
        return
    classes = dataset_spec(given.dataset).classes
    best = found.nearest(one, given.stages.final, COUNT)
    words = (
        f"Of {len(found.images):,} training images, the ones whose values in the last hidden layer "
        "are nearest to those of your image."
    )
    figures = [
        markup.figure(
            tiles.png(tiles.enlarged(found.images[at], THUMB)),
            THUMB * found.images.shape[-1],
            escape(classes[found.labels[at]]),
            f"A training image of {classes[found.labels[at]]}",
        )
        for at in best.tolist()
    ]
    head = f'<p title="{words}">Nearest training images</p>'
    st.html(f'<div class="play-nearest">{head}{markup.figures(figures)}</div>')


@cached(weights_of, most=16, spinner="Looking through training images …")
def _candidates(run: Run) -> Candidates:
    return candidates(network(run), data_root())
