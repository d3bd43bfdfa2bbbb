"""Fooling the network: the smallest step of FGSM that changes its answer."""

from html import escape

import numpy as np
import streamlit as st

from mnist_core.dataset_specs import dataset_spec
from mnist_core.evaluation.ensemble import vote
from mnist_core.formatting import percent
from mnist_core.imaging import tiles
from mnist_core.runs.run import Run
from pages.components.playground import markup
from pages.components.playground.link import from_link, to_link
from pages.components.playground.networks import network
from pages.components.shared.common import show_errors

SIDE = 226  # pixels of a picture
LINK = "play_epsilon"


@st.fragment
@show_errors
def adversarial(run: Run, image: np.ndarray) -> None:
    """Original, change and result side by side, for an ε that the visitor chooses."""
    from mnist_core.inspection.adversarial import LARGEST, attack

    one, classes = network(run), dataset_spec(run.config.dataset).classes
    found = attack(one, image)
    if found.smallest is None:
        st.info(f"No ε up to {LARGEST} changes this answer.", icon=":material/shield:")
    else:
        st.markdown(
            f"The smallest step that changes the answer moves each pixel by at most "
            f"**ε = {found.smallest}** of 255 grey levels."
        )
    # The key tells images apart: each begins at its own smallest ε.
    key = f"play_epsilon_{run.id}_{hash(image.tobytes())}"
    epsilon = st.slider(
        "ε, in grey levels of 255",
        min_value=0,
        max_value=LARGEST,
        value=_start(found.smallest or 8, LARGEST),
        key=key,
        help="Fast gradient sign method: every pixel moves by ε in the direction that increases "
        "the loss most, no further than black or white.",
    )
    to_link(LINK, None if epsilon == found.smallest else epsilon)
    change = found.change(epsilon).astype(np.float32)
    figures = []
    for name, values in (
        ("original", image),
        ("change", change),
        ("result", found.result(epsilon)),
    ):
        if name == "change":
            mean = np.abs(change).mean()
            says = f"{mean:.1f} grey levels per pixel on average; warm is brighter, cold darker"
            says += f". The colours end at ±{epsilon or 1} of 255 grey levels"
            picture = tiles.tile(change, SIDE, SIDE, limit=epsilon or 1)
        else:
            answer = vote([one], values)[0]
            says = f"reads {classes[answer.label]} · {percent(answer.confidence, 1)}"
            picture = tiles.tile(values, SIDE, SIDE, grey=True)
        width = picture.indices.shape[1]
        caption = f"<b>{name}</b> {escape(says)}"
        figures.append(markup.figure(picture.png(), width, caption, f"{name}, {says}"))
    st.html(markup.figures(figures))


def _start(smallest: int, largest: int) -> int:
    """The ε that the address names when the session begins, or the smallest that works."""
    linked = from_link(LINK) or ""
    known = linked.isascii() and linked.isdigit() and len(linked) < 5
    return min(int(linked), largest) if known else smallest
