"""How a drawing or a picture became the 28×28 pixels that the network reads."""

from html import escape

import streamlit as st

from mnist_core.imaging import preprocess, tiles
from pages.components.playground import markup
from pages.components.shared.common import show_errors

SIDE = 140  # pixels of a picture
KEY = "play_as_drawn"
HELP = "Only shrinks the whole picture to 28×28, without centring, as most demos do."


def skips_centring() -> bool:
    """Whether the visitor has switched centring off."""
    return bool(st.session_state.get(KEY))


@show_errors
def prepared(stages: preprocess.Stages) -> None:
    """From ink to the image that the network reads, side by side."""
    st.toggle("Skip centring", key=KEY, bind="query-params", persist_state="session", help=HELP)
    pictures = []
    for step in stages.steps:
        file = tiles.png(tiles.squared(step.image, SIDE))
        caption = f"<b>{escape(step.name)}</b> {escape(step.explanation)}"
        pictures.append(markup.figure(file, SIDE, caption, f"The drawing, {step.name}"))
    st.html(markup.figures(pictures))
