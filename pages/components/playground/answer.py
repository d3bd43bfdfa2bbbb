"""The answer of the chosen network, and those of all others."""

from html import escape

import streamlit as st

from mnist_core.dataset_specs import dataset_spec
from mnist_core.evaluation.ensemble import Consensus, Vote, consensus
from mnist_core.formatting import percent
from mnist_core.imaging import tiles
from mnist_core.imaging.sample_drawings import example_for
from mnist_core.models import model_title
from mnist_core.runs.run import Run
from pages.components.playground import markup
from pages.components.playground.input import Input

THUMB = 2  # screen pixels a side for each pixel of what was read


def article(name: str) -> str:
    return "an" if name[0] in "8A" else "a"


def show_answer(given: Input, vote: Vote) -> None:
    """The class, how sure, and the probabilities of all classes."""
    classes, probabilities = dataset_spec(vote.run.config.dataset).classes, vote.probabilities
    first, second = probabilities.argsort()[::-1][:2]
    name = classes[first]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        pixels = tiles.enlarged(given.stages.final, THUMB)
        st.image(tiles.png(pixels), width=pixels.shape[1], alt="The image that was read")
        reads = f"Reads {article(name)} **{name}** · {percent(probabilities[first], 1)}"
        st.subheader(reads, anchor=False)
    none = probabilities[second] < 0.001
    guess = f"{classes[second]} · {percent(probabilities[second], 1)}"
    st.markdown(_badge(given, first, "none above 0.1 %" if none else guess))
    st.html(markup.bars(classes, probabilities))


def _badge(given: Input, answer: int, second: str) -> str:
    if given.kind == "example":
        what = example_for(given.dataset).what
        return f":orange-badge[Example] Here the lab drew {what}. Now draw your own!"
    if given.truth is not None:
        name = dataset_spec(given.dataset).classes[given.truth]
        right = ":green-badge[Right]" if answer == given.truth else ":red-badge[Wrong]"
        return f"{right} Its true class is {name}. Second guess: {second}"
    return f":green-badge[Yours] Second guess: {second}"


def show_votes(
    votes: list[Vote], reasons: dict[str, str], own: Run, runs: list[Run], beside: Vote | None
) -> None:
    """Every network trained on this data set, one run each, and their answer together.

    `beside` is the chosen run's answer where it is not the best of its network: it does not count.
    """
    agreed = consensus(votes)
    name = dataset_spec(own.config.dataset).classes[agreed.label]
    share = percent(agreed.probabilities[agreed.label], 1)
    with st.container(gap="xsmall"):
        if len(votes) > 1:
            st.markdown(
                f"**{agreed.agreeing} of {agreed.count}** networks read {article(name)} "
                f"**{name}** · together **{share}**",
                help="Each network trained on this data set takes part with its best run. "
                "Together: the mean of their probabilities, with equal weights.",
            )
        else:
            st.markdown("**One network** here was trained on this data set.")
        rows = {beside.run.id: _row(beside, agreed, " (this run)")} if beside else {}
        by_id = {vote.run.id: vote for vote in votes}
        for run in runs:
            known = by_id.get(run.id)
            rows[run.id] = _row(known, agreed) if known else _no_row(run, reasons)
        place = list(rows).index(own.id) if own.id in rows else None
        head = ["Network", "Reads", "Confidence", "ms"]
        st.html(markup.table(head, list(rows.values()), place))


def _row(vote: Vote, agreed: Consensus, which: str = "") -> list[str]:
    config, off = vote.run.config, "" if vote.label == agreed.label else "off"
    word = f'<span class="{off}">{escape(dataset_spec(config.dataset).classes[vote.label])}</span>'
    title = escape(model_title(config.model) + which)
    return [title, word, markup.meter(vote.confidence), f"{vote.milliseconds:.1f}"]


def _no_row(run: Run, reasons: dict[str, str]) -> list[str]:
    word = f'<span title="{escape(reasons.get(run.id, ""))}">damaged</span>'
    return [escape(model_title(run.config.model)), word, "–", "–"]
