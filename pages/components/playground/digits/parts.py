"""Where the drawings are on the page: a tab of their own, or above all else in a group's set."""

from __future__ import annotations

from html import escape

import streamlit as st

from mnist_core.data.drawing_sets import DrawingSet
from mnist_core.data.handwriting import Handwriting
from mnist_core.errors import InputError, LabError
from mnist_core.imaging import tiles
from mnist_core.imaging.qr import picture, qr_code
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore
from pages.components.playground import markup
from pages.components.playground.digits import sets
from pages.components.playground.digits.exchange import exchange
from pages.components.playground.digits.save import buttons, picture_of
from pages.components.playground.digits.view import view
from pages.components.playground.input import Input
from pages.components.shared.common import show_errors
from pages.components.shared.visitor import may_change

WALL_STYLE = """<style>
[data-testid=stLayoutWrapper]:has(>.st-key-play_digits_all){min-width:min(480px,86vw)}
.digits-join{display:flex;flex-wrap:wrap;align-items:center;gap:10px 24px;margin-bottom:6px}
.digits-join img{flex:none;width:168px;height:168px;image-rendering:pixelated;border-radius:8px}
.digits-join :is(span,code){display:block}
.digits-join code{font-size:clamp(1.1rem,2.4vw,2rem);font-weight:600;background:none;padding:0;
 overflow-wrap:anywhere;color:var(--play-top)}
.digits-join span{font-size:1.15rem;margin-bottom:4px}
</style>"""


@show_errors
def tab(one: Input, runs: list[Run], every: list[Run]) -> None:
    """My digits: everybody's drawings, for whoever has opened no set."""
    own = Handwriting(RunStore().root, one.dataset)
    if may_change():
        picture = picture_of(one)
        if picture is None:
            st.info("Draw something or upload a picture, then say here what it is.")
        else:
            st.markdown(
                ":small[Saved where the lab runs, next to the runs: all who use this lab share "
                "these drawings. A set of your own has its own link.]"
            )
            buttons(own, picture)
    view(None, own, runs, every)
    if may_change():
        sets.begin()
    _exchange(own, None)


def under_the_canvas(one: DrawingSet, given: Input | None, dataset: str) -> None:
    """In a set: what was drawn is saved right where it was drawn."""
    if may_change() and one.open:
        own = Handwriting(RunStore().root, dataset, one.key)
        buttons(own, picture_of(given), in_set=True)


@show_errors
def group(one: DrawingSet, dataset: str, runs: list[Run], every: list[Run]) -> None:
    """The set's drawings, below the canvas."""
    own = Handwriting(RunStore().root, dataset, one.key)
    view(one, own, runs, every)
    more = st.expander("Download, or add from a file", key="play_digits_files", on_change="rerun")
    if more.open:
        with more:
            _exchange(own, one)
    st.divider()


@show_errors
def wall(one: DrawingSet, dataset: str, runs: list[Run], every: list[Run]) -> None:
    """Nothing but the set, for a projector: how to join, and the drawings as they come in."""
    own = Handwriting(RunStore().root, dataset, one.key)
    st.html(WALL_STYLE + (_joining(sets.link_of(one)) if one.open else ""))
    view(one, own, runs, every, large=True)


def _joining(link: str) -> str:
    """How to join, as HTML: a code for a camera, and the link to be typed."""
    try:
        source = markup.image_source(tiles.png(picture(qr_code(link))))
        code = f'<img src="{source}" alt="The link as a QR code">'
    except InputError:  # the link is very long
        code = ""
    typed = escape(link.removeprefix("http://"))
    return (
        f'<div class="digits-join">{code}<div><span>Open this and draw:</span>'
        f"<code>{typed}</code></div></div>"
    )


def _exchange(own: Handwriting, one: DrawingSet | None) -> None:
    try:
        some = bool(own.samples())
    except LabError:  # the view says so
        some = False
    exchange(own, some, one is None or one.open)
