"""The answer of the chosen network."""

from html import escape

import streamlit as st

from mnist_core.dataset_specs import dataset_spec
from mnist_core.evaluation.ensemble import Vote
from mnist_core.formatting import percent
from mnist_core.imaging import tiles
from mnist_core.imaging.sample_drawings import example_for
from mnist_core.inspection.novelty import known
from pages.components.playground import markup
from pages.components.playground.input import Input

THUMB = 4  # screen pixels a side for each pixel of what was read


def show_answer(given: Input, vote: Vote, novelty: float | None) -> None:
    """What was read, the class, how sure, and the probabilities of all classes.

    With a `novelty`, how unlike all classes it is; an image that is turned away has no class.
    """
    classes, probabilities = dataset_spec(vote.run.config.dataset).classes, vote.probabilities
    first, second = probabilities.argsort()[::-1][:2]
    name = classes[first]
    none = probabilities[second] < 0.001
    other = f"{escape(classes[second])} · {percent(probabilities[second], 1)}"
    guess = "none above 0.1 %" if none else other
    share = percent(probabilities[first], 1)
    head = f"<h2>Reads {markup.article(name)} <b>{escape(name)}</b> · {share}</h2>"
    if novelty is not None and not known(novelty):
        noun = escape(dataset_spec(vote.run.config.dataset).noun)
        nearest = f"nearest:\N{NO-BREAK SPACE}<b>{escape(name)}</b>"
        head = f'<h2 class="unlike">Not like any {noun} I know ({nearest})</h2>'
    says = (
        f"{head}"
        f"<p>{_badge(given, first)} "
        f'<span class="nobreak">Second guess: {guess}</span></p>'
        f"{_novelty(novelty)}{markup.bars(classes, probabilities)}"
    )
    st.html(_beside(given, says))


def _novelty(novelty: float | None) -> str:
    """The scale of novelty; nothing for a run without one."""
    if novelty is None:
        return ""
    words = (
        "How unlike everything it learned this image is, judged from the network's last layers. "
        "Above 50 % it is turned away, as 1 % of the validation images are."
    )
    return markup.scale("Novelty", novelty, "turned away", not known(novelty), words)


def show_nothing(words: str) -> None:
    """In place of an answer, where there is nothing to read."""
    st.html(_beside(None, f"<h2>{escape(words)}</h2>"))


def _beside(given: Input | None, says: str) -> str:
    """What the network sees, and beside it the words."""
    side, seen = 28 * THUMB, ""
    if given:
        source = markup.image_source(tiles.png(tiles.enlarged(given.stages.final, THUMB)))
        seen = (
            f'<figure><img src="{source}" width="{side}" height="{side}" '
            f'alt="The image that was read"><figcaption>What it sees: 28×28 pixels</figcaption>'
            "</figure>"
        )
    return f'<div class="play-answer">{seen}<div class="words">{says}</div></div>'


def _badge(given: Input, answer: int) -> str:
    if given.kind == "example":
        what = escape(example_for(given.dataset).what)
        return f'<span class="play-tag">Example</span> The lab drew {what}. Now draw your own!'
    if given.truth is not None:
        name = escape(dataset_spec(given.dataset).classes[given.truth])
        kind, word = ("good", "✓ Right") if answer == given.truth else ("bad", "✗ Wrong")
        return f'<span class="play-tag {kind}">{word}</span> Its true class is {name}.'
    return '<span class="play-tag good">Yours</span>'
