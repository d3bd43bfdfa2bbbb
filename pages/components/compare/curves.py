"""Compare: the curves of the chosen rows in one chart, and the settings in which they differ."""

from operator import attrgetter

import pandas as pd
import streamlit as st

from mnist_core.analysis.curves import curve_rows
from mnist_core.analysis.describe import differing_settings
from mnist_core.charts.style import FAINT
from mnist_core.charts.training import Look, training_curves
from pages.components.compare.comparison import Comparison, chart, read_or_warn


def curves_tab(comparison: Comparison) -> None:
    """Loss and accuracy of the chosen rows, by epoch or by seconds."""
    rows = [row for run_id in comparison.chosen for row in _rows(comparison, run_id)]
    if not rows:
        st.info("The chosen runs have no finished epoch yet.")
        return
    by = st.segmented_control(
        "Horizontal axis",
        ["epoch", "elapsed"],
        format_func=lambda name: {"epoch": "Epochs", "elapsed": "Seconds"}[name],
        default="epoch",
        required=True,
        key="cmp_by",
        bind="query-params",
        help="Seconds of training and validation, each run on its own machine.",
    )
    looks = {
        run_id: Look(
            comparison.colour(run_id), 1 if comparison.marked in (None, run_id) else FAINT / 2
        )
        for run_id in comparison.chosen
    }
    data = pd.DataFrame(rows).drop(columns="best")
    for place, what in zip(st.columns(2), ("loss", "accuracy"), strict=True):
        with place:
            chart(
                what.capitalize(),
                training_curves(rows, what, looks, by=by, clickable=True, legend=False),
                data,
                f"cmp_{what}",
                f"Training and validation {what} of the chosen runs",
                clickable=True,
            )
    st.caption(
        "Solid: validation images. Dotted: training images. Thin: other seeds. Star: best "
        "validation epoch. Click a curve to mark its run in every chart."
    )


def _rows(comparison: Comparison, run_id: str) -> list[dict]:
    label, history = comparison.labels[run_id], attrgetter("history")
    histories = [
        read_or_warn(f"{label} has no curves", history, comparison.runs[member]) or []
        for member in comparison.row(run_id)["members"]
    ]
    return curve_rows(run_id, label, histories, comparison.runs[run_id].summary.best_epoch)


def settings_tab(comparison: Comparison) -> None:
    """The configs side by side: only what differs."""
    runs = comparison.compared
    found = differing_settings([run.config for run in runs])
    if len(runs) < 2:
        st.info("Tick two or more rows to see which of their settings differ.")
        return
    if not found:
        st.info("These runs differ only in their seeds.")
        return
    names = [comparison.labels[run.id] for run in runs]
    rows = pd.DataFrame(found.values(), index=list(found), columns=names)
    st.dataframe(
        rows.rename_axis("Setting"),
        column_config={"_index": st.column_config.TextColumn("Setting", pinned=True)},
        placeholder="–",
        height="content",
        alt="The settings in which the chosen runs differ",
    )
    shared = len(runs[0].config.names()) - len(found)
    st.caption(
        f"The other {shared} settings are the same. A dash: the run's optimiser, schedule or "
        "input size does not use the setting."
    )
