"""Why this answer? What in the image speaks for a class, by four methods."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from mnist_core.dataset_specs import dataset_spec
from mnist_core.errors import InputError
from mnist_core.formatting import true_minus
from mnist_core.imaging import tiles
from mnist_core.runs.run import Run
from pages.components.playground import markup
from pages.components.playground.link import from_link, to_link
from pages.components.playground.networks import network
from pages.components.shared.common import show_errors

if TYPE_CHECKING:
    from mnist_core.inspection.saliency import Saliency

SIDE = 226  # pixels of a picture
LINK = "play_why"
WORDS = {
    "gradient": "How much the score grows as a pixel gets brighter. Noisy, and blind to "
    "pixels whose effect is saturated.",
    "integrated gradients": "The gradient, collected on the way from a black image to this one.",
    "Grad-CAM": "Where those channels of the last convolution are active that favour the class. "
    "Its coarse map is stretched over the image: near the border it is a few pixels off.",
    "occlusion": "How far the score falls when a black square of 6×6 pixels lies there.",
}


@st.fragment
@show_errors
def why(run: Run, image: np.ndarray, label: int) -> None:
    """Four pictures for a class that the visitor chooses, against the answer or by itself."""
    from mnist_core.inspection.saliency import METHODS, Score, saliency

    classes = dataset_spec(run.config.dataset).classes
    target, against = choose(classes, label)
    score, one = Score(target, against), network(run)
    what = f"for <b>{escape(classes[target])}</b>"
    if against is not None:
        what += f" rather than <b>{escape(classes[against])}</b>"
    words = f"Warm colours are evidence {what}, cold ones against it; black has no influence. "
    words += "The score is the class's logit, which becomes its probability"
    words += "." if against is None else "; here, how far it is ahead of the answer's."
    st.html(markup.note(words))
    picture = tiles.tile(image, SIDE, SIDE, grey=True)
    words = "as the network reads it"
    figures, missing = [_figure(picture, f"<b>the image</b> {words}", f"The image {words}")], ""
    for method in METHODS:
        try:
            found = saliency(one, image, method, score)
        except InputError as error:  # a network without convolutions has no Grad-CAM
            missing = f"{error}."
            continue
        caption = f"<b>{method}</b> {nothing(method, found)}{WORDS[method]}{gap(found)}"
        alt = f"{method} for {classes[target]}"
        figures.append(_figure(tiles.tile(found.values, SIDE, SIDE), caption, alt))
    st.html(markup.figures(figures))
    if missing:
        st.html(markup.note(escape(missing)))


def _figure(tile: tiles.Tile, caption: str, alt: str) -> str:
    return markup.figure(tile.png(), tile.indices.shape[1], caption, alt)


def choose(classes: tuple[str, ...], label: int) -> tuple[int, int | None]:
    """The class to explain, and the one that it is compared with, if any."""
    linked = from_link(LINK)
    start = classes.index(linked) if linked in classes else label
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        target = st.segmented_control(
            "Class to explain",
            range(len(classes)),
            default=start,
            format_func=lambda at: classes[at],
            key=f"play_why_{len(classes)}_{label}",
            required=True,
            help="The class to find evidence for, and against. It begins with the answer.",
        )
        compare = st.toggle(
            "Against the answer",
            value=True,
            key="play_why_against",
            persist_state="session",
            bind="query-params",
            help="For another class than the answer: what makes it lose against the answer.",
        )
    to_link(LINK, None if target == label else classes[target])
    return target, label if compare and target != label else None


def nothing(method: str, found: Saliency) -> str:
    """What a black picture means."""
    if found.values.any():
        return ""
    if method == "Grad-CAM":
        return "<b>All black: no channel of the last convolution favours the class here.</b> "
    return "<b>All black: no pixel has any influence here.</b> "


def gap(found: Saliency) -> str:
    """How closely integrated gradients add up to the difference of the scores."""
    if found.gap is None:
        return ""
    return true_minus(
        f" They sum to {found.total:.3f}; the score differs from the black image's by "
        f"{found.difference:.3f} (gap {found.gap:.3f})."
    )
