"""Shift, turn and scale what is read, and see where each network's answer changes."""

import numpy as np
import streamlit as st

from mnist_core.analysis.describe import distinct_titles
from mnist_core.dataset_specs import dataset_spec
from mnist_core.evaluation.ensemble import consensus, labels_of_each
from mnist_core.formatting import number_range
from mnist_core.imaging import tiles
from mnist_core.imaging.affine import AXES, Axis, Move, along, flips, moved
from mnist_core.runs.run import Run
from pages.components.playground import markup
from pages.components.playground.networks import networks, votes_of
from pages.components.playground.votes import away, together
from pages.components.shared.common import show_errors
from pages.components.shared.terms import see

SIDE = 198  # pixels of the picture
BY_NAME = {axis.name: axis for axis in AXES}


@st.fragment
@show_errors
def move(runs: list[Run], voters: list[Run], image: np.ndarray, dataset: str) -> None:
    """Four sliders, the moved image, and a strip along one of them for each of `runs`.

    What the networks answer together is said by `voters`, as beside the answer above.
    """
    place = sliders()
    image_there = moved(image, place)
    able, _ = networks(runs)  # the chosen one is among them, or no tab would be shown
    with st.container(horizontal=True, gap="medium"):
        with st.container(width=SIDE):
            picture = tiles.tile(image_there, SIDE, SIDE, grey=True)
            st.image(picture.png(), alt="The moved image")
            votes, unlike = votes_of(networks(voters)[0], image_there)
            if votes:
                st.html(together(consensus(votes, away(unlike)), dataset_spec(dataset)))
        with st.container(width="stretch", key="play_along_strip"):
            axis = BY_NAME[
                st.segmented_control(
                    "Show where answers change along",
                    list(BY_NAME),
                    default="turn",
                    format_func=lambda name: BY_NAME[name].title.lower(),
                    key="play_along",
                    required=True,
                    persist_state="session",
                    bind="query-params",
                    help="The other sliders keep their values.",
                )
            ]
            show_strip(able, along(image, place, axis), axis, getattr(place, axis.name), dataset)


def sliders() -> Move:
    """Where the image is moved to."""
    values = {}
    with st.grid("auto", min_column_width=180, gap="medium"):
        for axis in AXES:
            values[axis.name] = st.slider(
                f"{axis.title} ({axis.unit})",
                min_value=float(axis.low),
                max_value=float(axis.high),
                value=float(axis.neutral),
                step=float(axis.step),
                format="%g",
                key=f"play_move_{axis.name}",
                persist_state="session",
                bind="query-params",
                help="Moves the 28×28 image that the networks read, after it was centred."
                + see("robustness"),
            )
    return Move(**values)


def show_strip(able: list, images: np.ndarray, axis: Axis, at: float, dataset: str) -> None:
    """A row for each network; its title says how far the unmoved image's answer holds."""
    answers = labels_of_each(able, images)
    here = int(np.abs(axis.values - at).argmin())
    names = []
    titles = distinct_titles(one.run for one in able)
    for title, row in zip(titles, answers, strict=True):
        low, high = flips(row, axis)
        unit = axis.unit if axis.unit == "°" else f" {axis.unit}"
        names.append(f"{title} · {number_range(low, high)}{unit}")
    classes = dataset_spec(dataset).classes
    st.html(markup.strip(names, answers, axis.values.tolist(), here, classes))
    words = (
        "Each cell is a network's answer at that value of the slider, in the colour of its class; "
        "the frame marks the slider's value. Beside the name: the range in which the answer for "
        "the unmoved image holds."
    )
    st.html(markup.note(words))
