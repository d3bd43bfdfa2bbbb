"""The same drawings, read after training with images that are turned and shifted at random."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from mnist_core.analysis.augmented import MOVES, Pair, is_moved, pairs, with_moves
from mnist_core.analysis.describe import title_of
from mnist_core.analysis.url import query_of
from mnist_core.evaluation.network import Network
from mnist_core.evaluation.scores import score
from mnist_core.evaluation.statistics import Paired, mcnemar
from mnist_core.formatting import counted, field_name
from mnist_core.models import network_of
from mnist_core.runs.run import Run
from pages.components.playground import markup
from pages.components.playground.digits.accuracy import Row, table
from pages.components.playground.digits.reading import Drawn, answers
from pages.components.playground.networks import networks
from pages.components.shared.terms import see
from pages.components.shared.visitor import may_change

LIKELY = 0.05  # a p-value below it is called a difference
NAMES = "not moved", "turned and shifted"


def moved(shown: Drawn, run: Run, every: Sequence[Run]) -> None:
    """Of each network that has both, a run without rotation and shift in training and one with."""
    found = []
    for pair in pairs(every, run.config.dataset):
        able, _ = networks([pair.still, pair.moved])
        if len(able) == 2:
            found.append((pair, *_compared(able, shown)))
    if found:
        st.markdown(summary([pair for _, _, pair in found], len(shown.samples)))
        rows = [_row(pair, right, paired, run) for pair, right, paired in found]
        st.html(table(NAMES, rows, "gained, lost"))
        st.html(markup.note(_what_differs([pair for pair, _, _ in found])))
    else:
        st.html(markup.note("No network on these images has been trained both ways yet."))
    train_moved(run)


def _compared(able: Sequence[Network], shown: Drawn) -> tuple[np.ndarray, Paired]:
    right = answers(able, shown) == shown.labels
    return right, mcnemar(right[1], right[0])


def summary(found: Sequence[Paired], drawings: int) -> str:
    """How many networks gained, in a sentence; Markdown."""
    gained = sum(pair.only_a > pair.only_b for pair in found)
    lost = sum(pair.only_a < pair.only_b for pair in found)
    clear = sum(pair.p_value < LIKELY for pair in found)
    many = "the one network" if len(found) == 1 else f"{len(found)} networks"
    words = (
        f"Trained on images that are turned and shifted at random, **{gained} of {many}** read "
        f"more of the {counted(drawings, 'drawing')} right, and {lost} fewer."
    )
    if clear:
        return f"{words} For {clear} this is more than chance would do (p < {LIKELY:g})."
    return f"{words} With so few drawings, chance alone could do that."


def _row(pair: Pair, right: np.ndarray, paired: Paired, run: Run) -> Row:
    star = " *" if paired.p_value < LIKELY else ""
    return Row(
        title_of(pair.moved),
        score(right[0]),
        score(right[1]),
        f"+{paired.only_a} −{paired.only_b}{star}",
        network_of(run.config) == network_of(pair.moved.config),
    )


def _what_differs(found: Sequence[Pair]) -> str:
    """Says what else differs, so that nobody takes it all for the effect of moving."""
    names = sorted({field_name(name) for pair in found for name in pair.differing})
    words = (
        "Gained: drawings that only the run with moved images reads right; lost: only the other. "
        f"* p &lt; {LIKELY:g} by McNemar’s test."
    )
    if not names:
        return f"{words} The runs differ in nothing else but the seed."
    return (
        f"{words} For some networks the runs differ in more than that: {', '.join(names)}. So not "
        "all of a gain is due to moved images."
    )


def train_moved(run: Run) -> None:
    """Goes to the Train page with the chosen run's settings, and moved images."""
    if is_moved(run.config) or not may_change():
        return
    title = title_of(run)
    if st.button(
        f"Train {title} with moved images →",
        icon=":material/tune:",
        key="play_train_moved",
        help="On the Train page: nothing but the images changes, which are turned by up to "
        f"{MOVES['rotation']:g}° and shifted by up to {MOVES['shift']:g} pixels."
        + see("augmentation"),
    ):
        st.switch_page("pages/train.py", query_params=query_of(with_moves(run.config)))
