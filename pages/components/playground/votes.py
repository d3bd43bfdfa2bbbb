"""What every network answers to one image, and what they answer together."""

from collections.abc import Collection, Mapping
from html import escape

import streamlit as st

from mnist_core.analysis.describe import title_of
from mnist_core.dataset_specs import DatasetSpec, dataset_spec
from mnist_core.evaluation.ensemble import Consensus, Vote, consensus
from mnist_core.formatting import percent
from mnist_core.inspection.novelty import known
from mnist_core.runs.run import Run
from pages.components.playground import markup

HELP = (
    "Each network trained on this data set takes part with its best run. "
    "Together: the mean of their probabilities, with equal weights; "
    "a network that turns the image away has no part in it."
)
EACH = "Answer, confidence, novelty where it is measured, and the time that these take together."


def away(novelties: Mapping[str, float]) -> frozenset[str]:
    """The ids of the runs to which an image with these novelties is unlike all they learned."""
    return frozenset(run for run, novelty in novelties.items() if not known(novelty))


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
    unlike = away(novelties)
    agreed = consensus(votes, unlike)
    spec = dataset_spec(own.config.dataset)
    with st.container(gap="xsmall"):
        if len(votes) == 1:
            st.html("<b>One network</b> here was trained on this data set.")
        else:
            st.html(f'<span title="{HELP}">{together(agreed, spec)}</span>')
            none = [_who(vote, own) for vote in votes if vote.run.id in unlike]
            chosen = _by_class(votes, own, spec.classes, unlike)
            st.html(markup.dots(chosen, spec.classes[agreed.label], none))
        with st.popover("Each network", key="play_each", help=EACH):
            st.html(_table(votes, reasons, own, runs, beside, agreed, novelties))


def together(agreed: Consensus, spec: DatasetSpec) -> str:
    """What the networks answer, and how many of them, as HTML."""
    name, noun, count = spec.classes[agreed.label], escape(spec.noun), agreed.count
    what = f"{markup.article(name)} <b>{escape(name)}</b>"
    if agreed.away == count:
        return f"<b>None of {count}</b> networks knows such {markup.article(noun)} {noun} " + (
            f"(nearest:\N{NO-BREAK SPACE}<b>{escape(name)}</b>)"
        )
    if agreed.is_away:
        read = "reads" if agreed.agreeing == 1 else "read"
        return (
            f"<b>{agreed.away} of {count}</b> networks know no such {noun}; "
            f"{agreed.agreeing} {read} {what}"
        )
    share = percent(agreed.probabilities[agreed.label], 1)
    know = "knows" if agreed.away == 1 else "know"
    rest = f"; {agreed.away} {know} no such {noun}" if agreed.away else ""
    return (
        f"<b>{agreed.agreeing} of {count}</b> networks read {what}, "
        f'<span style="white-space:nowrap">together <b>{share}</b></span>{rest}'
    )


def _who(vote: Vote, own: Run) -> tuple[str, bool]:
    """The network's name, and whether it is the chosen one."""
    return title_of(vote.run), vote.run.id == own.id


def _by_class(
    votes: list[Vote], own: Run, classes: tuple[str, ...], unlike: Collection[str]
) -> dict[str, list[tuple[str, bool]]]:
    """For each class that was chosen, the most often chosen first, who chose it."""
    found: dict[str, list[tuple[str, bool]]] = {}
    for vote in votes:
        if vote.run.id not in unlike:
            found.setdefault(classes[vote.label], []).append(_who(vote, own))
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
    config, novelty = vote.run.config, novelties.get(vote.run.id)
    name = escape(dataset_spec(config.dataset).classes[vote.label])
    turned_away = novelty is not None and not known(novelty)
    alike = turned_away == agreed.is_away and (turned_away or vote.label == agreed.label)
    says = f"none, nearest:\N{NO-BREAK SPACE}{name}" if turned_away else name
    word = f'<span class="{"" if alike else "off"}">{says}</span>'
    title = escape(title_of(vote.run) + which)
    unlike = "–" if novelty is None else markup.meter(novelty)
    took = markup.milliseconds(vote.milliseconds)
    return [title, word, markup.meter(vote.confidence), unlike, took]


def _no_row(run: Run, reasons: dict[str, str]) -> list[str]:
    word = f'<span title="{escape(reasons.get(run.id, ""))}">damaged</span>'
    return [escape(title_of(run)), word, "–", "–", "–"]
