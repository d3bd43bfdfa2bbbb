"""Which runs are watched: the chosen one, or one that has snapshots, and one more beside it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from mnist_core.analysis.describe import title_of
from mnist_core.config import RunConfig
from mnist_core.evaluation.ensemble import rank
from mnist_core.formatting import percent
from mnist_core.models import network_of
from mnist_core.models.zoo import rate_pair
from mnist_core.runs.run import Run
from pages.components.shared.common import show_errors
from pages.components.shared.terms import term
from pages.components.shared.watch import watch

NOTE = (
    f"Kernels, maps and answers at up to 20 {term('snapshots')} of training: early steps, then "
    "epochs. The points "
    "are test images, placed by the last hidden layer, along its two main directions at the end of "
    "training; the cross is the image at hand. At each moment they are scaled to the same spread."
)


@show_errors
def watch_part(config: RunConfig, runs: Sequence[Run], image: np.ndarray, key: str) -> None:
    """The config's run at all its snapshots, and one more of `runs` beside it if one is chosen."""
    chosen = choose(config, runs, key)
    if chosen:
        watch(chosen, image, f"{key}_watch")
        st.caption(NOTE)


def with_snapshots(runs: Sequence[Run], dataset: str) -> list[Run]:
    return [run for run in runs if run.config.dataset == dataset and run.has_snapshots]


def choose(config: RunConfig, runs: Sequence[Run], key: str) -> list[Run]:
    """The runs to be watched: one or two; none where no run of this data set has snapshots."""
    able = {each.id: each for each in with_snapshots(runs, config.dataset)}
    if not able:
        st.info(
            "No run on these images has snapshots. Runs of networks with fewer than 100,000 "
            "parameters keep them when they are trained on the Train page.",
            icon=":material/movie:",
        )
        return []
    first = able.get(config.id)
    if first is None:
        first = _nearest(config, list(able.values()))
        st.caption(f"A run whose training was recorded: {label(first)}")
    others = [each for each in able if each != first.id]
    pair = [config.id for config in rate_pair()]
    partner = next((each for each in pair if each in others and first.id in pair), None)
    beside = st.selectbox(
        "Compare with",
        others,
        index=others.index(partner) if partner else None,
        format_func=lambda run_id: label(able[run_id]),
        key=f"{key}_beside_{first.id}",
        placeholder="Choose a second run",
        help="Another run with snapshots, shown beside it after as many steps.",
        width=420,
    )
    return [first, *([able[beside]] if beside else [])]


def _nearest(config: RunConfig, able: list[Run]) -> Run:
    """The best run of the same network, if there is one."""
    same = [each for each in able if network_of(each.config) == network_of(config)]
    return min(same or able, key=rank)


def label(run: Run) -> str:
    config = run.config
    accuracy = percent(run.summary.validation_accuracy, 1)
    return (
        f"{title_of(run)} · {config.optimizer} {config.lr:g} · {config.epochs} epochs · {accuracy}"
    )
