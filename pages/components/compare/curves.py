"""Compare: the curves of the chosen rows in one chart."""

from operator import attrgetter

import pandas as pd
import streamlit as st

from mnist_core.analysis.curves import curve_rows
from mnist_core.charts.style import colour, marker
from mnist_core.charts.training import Look, training_curves
from pages.components.compare.comparison import Comparison, chart, read_or_warn

LONGEST = 10  # characters of a name at the end of a line


def curves_tab(comparison: Comparison) -> None:
    """Loss and accuracy of the chosen rows, by epoch or by seconds."""
    rows = [row for run_id in comparison.chosen for row in _rows(comparison, run_id)]
    if not rows:
        st.info("The compared runs have no finished epoch yet.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
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
        training = st.toggle(
            "Training images too",
            key="cmp_training",
            bind="query-params",
            help="Dotted: loss and accuracy on the images that the network learns from.",
        )
    looks = {run_id: _look(comparison, run_id, training) for run_id in comparison.chosen}
    data = pd.DataFrame(rows).drop(columns="best")
    for place, what in zip(st.columns(2), ("loss", "accuracy"), strict=True):
        with place:
            chart(
                what.capitalize(),
                training_curves(rows, what, looks, by=by, names=not training),
                data,
                f"cmp_{what}",
                f"{what.capitalize()} of the compared runs on the validation images",
            )
    dotted = " Dotted: training images." if training else ""
    st.caption(
        f"Solid: validation images.{dotted} Thin: other seeds. Star: best validation epoch. The "
        "accuracy axis is stretched towards 100 %."
    )


def _look(comparison: Comparison, run_id: str, training: bool) -> Look:
    """Colour and symbol as everywhere; a name at the end of the line where it is the only one."""
    number, name = comparison.slots[run_id], comparison.labels[run_id]
    name = name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"
    return Look(colour(number), symbol=marker(number)[0], name="" if training else name)


def _rows(comparison: Comparison, run_id: str) -> list[dict]:
    label, history = comparison.labels[run_id], attrgetter("history")
    histories = [
        read_or_warn(f"{label} has no curves", history, comparison.runs[member]) or []
        for member in comparison.row(run_id)["members"]
    ]
    return curve_rows(run_id, label, histories, comparison.runs[run_id].summary.best_epoch)
