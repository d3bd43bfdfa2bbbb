"""The answer of the chosen network, and those of all others."""

from collections.abc import Mapping
from html import escape

import streamlit as st

from mnist_core.analysis.describe import title_of
from mnist_core.dataset_specs import dataset_spec
from mnist_core.evaluation.ensemble import Consensus, Vote, consensus
from mnist_core.formatting import percent
from mnist_core.imaging import tiles
from mnist_core.imaging.sample_drawings import example_for
from mnist_core.inspection.novelty import known
from mnist_core.runs.run import Run
from pages.components.playground import markup
from pages.components.playground.input import Input

THUMB = 4  # screen pixels a side for each pixel of what was read


def article(name: str) -> str:
    return "an" if name[0] in "8AEIO" else "a"


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
    head = (
        f"<h2>Reads {article(name)} <b>{escape(name)}</b> · {percent(probabilities[first], 1)}</h2>"
    )
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


def show_votes(
    votes: list[Vote],
    reasons: dict[str, str],
    own: Run,
    runs: list[Run],
    beside: Vote | None,
    novelties: Mapping[str, float],
) -> None:
    """Every network trained on this data set, one run each, and their answer together.

    `beside` is the chosen run's answer where it is not the best of its network: it does not count.
    `novelties` are by the run's id, of those that have one.
    """
    agreed = consensus(votes)
    classes = dataset_spec(own.config.dataset).classes
    with st.container(gap="xsmall"):
        if len(votes) == 1:
            st.html("<b>One network</b> here was trained on this data set.")
        else:
            st.html(_together(agreed, classes))
            st.html(markup.dots(_by_class(votes, own, classes), classes[agreed.label]))
        with st.popover("Each network", key="play_each", help="Answer, confidence and time."):
            st.html(_table(votes, reasons, own, runs, beside, agreed, novelties))


def _together(agreed: Consensus, classes: tuple[str, ...]) -> str:
    name = classes[agreed.label]
    share = percent(agreed.probabilities[agreed.label], 1)
    words = (
        "Each network trained on this data set takes part with its best run. "
        "Together: the mean of their probabilities, with equal weights."
    )
    return (
        f'<span title="{words}"><b>{agreed.agreeing} of {agreed.count}</b> networks read '
        f"{article(name)} <b>{escape(name)}</b>, "
        f'<span style="white-space:nowrap">together <b>{share}</b></span></span>'
    )


def _by_class(
    votes: list[Vote], own: Run, classes: tuple[str, ...]
) -> dict[str, list[tuple[str, bool]]]:
    """For each class that was chosen, the most often chosen first, who chose it."""
    found: dict[str, list[tuple[str, bool]]] = {}
    for vote in votes:
        who = (title_of(vote.run), vote.run.id == own.id)
        found.setdefault(classes[vote.label], []).append(who)
    return dict(sorted(found.items(), key=lambda pair: -len(pair[1])))


def _table(
    votes: list[Vote],
    reasons: dict[str, str],
    own: Run,
    runs: list[Run],
    beside: Vote | None,
    agreed: Consensus,
    novelties: Mapping[str, float],
) -> str:
    rows = {beside.run.id: _row(beside, agreed, novelties, " (this run)")} if beside else {}
    by_id = {vote.run.id: vote for vote in votes}
    for run in runs:
        each = by_id.get(run.id)
        rows[run.id] = _row(each, agreed, novelties) if each else _no_row(run, reasons)
    place = list(rows).index(own.id) if own.id in rows else None
    heads = ["Network", "Reads", "Confidence", "Novelty", "ms"]
    return markup.table(heads, list(rows.values()), place, "Each network's answer")


def _row(
    vote: Vote, agreed: Consensus, novelties: Mapping[str, float], which: str = ""
) -> list[str]:
    config, off = vote.run.config, "" if vote.label == agreed.label else "off"
    word = f'<span class="{off}">{escape(dataset_spec(config.dataset).classes[vote.label])}</span>'
    title = escape(title_of(vote.run) + which)
    novelty = novelties.get(vote.run.id)
    unlike = "–" if novelty is None else markup.meter(novelty)
    took = markup.milliseconds(vote.milliseconds)
    return [title, word, markup.meter(vote.confidence), unlike, took]


def _no_row(run: Run, reasons: dict[str, str]) -> list[str]:
    word = f'<span title="{escape(reasons.get(run.id, ""))}">damaged</span>'
    return [escape(title_of(run)), word, "–", "–", "–"]
