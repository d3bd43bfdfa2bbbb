"""Compare: the curves of the chosen rows in one chart."""

from operator import attrgetter

import pandas as pd
import streamlit as st

from mnist_core.analysis.curves import curve_rows
from mnist_core.charts.style import colour
from mnist_core.charts.training import Look, training_curves
from pages.components.compare.comparison import Comparison, chart, read_or_warn


def curves_tab(comparison: Comparison) -> None:
    """Loss and accuracy of the chosen rows, by epoch or by seconds."""
    rows = [row for run_id in comparison.chosen for row in _rows(comparison, run_id)]
    if not rows:
        st.info("The compared runs have no finished epoch yet.")
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
    looks = {run_id: Look(colour(comparison.slots[run_id])) for run_id in comparison.chosen}
    data = pd.DataFrame(rows).drop(columns="best")
    for place, what in zip(st.columns(2), ("loss", "accuracy"), strict=True):
        with place:
            chart(
                what.capitalize(),
                training_curves(rows, what, looks, by=by, names=False),
                data,
                f"cmp_{what}",
                f"Training and validation {what} of the compared runs",
            )
    st.caption(
        "Solid: validation images. Dotted: training images. Thin: other seeds. Star: best "
        "validation epoch."
    )


def _rows(comparison: Comparison, run_id: str) -> list[dict]:
    label, history = comparison.labels[run_id], attrgetter("history")
    histories = [
        read_or_warn(f"{label} has no curves", history, comparison.runs[member]) or []
        for member in comparison.row(run_id)["members"]
    ]
    return curve_rows(run_id, label, histories, comparison.runs[run_id].summary.best_epoch)
