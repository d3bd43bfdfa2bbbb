"""Compare's chart: accuracy against what a network costs. A click adds a network or removes it."""

import functools
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from mnist_core.analysis.pareto import for_file, points
from mnist_core.analysis.table import known_figures, published, published_elsewhere
from mnist_core.charts.pareto import AXES, FAR, REACH, accuracy_against
from pages.components.compare import files
from pages.components.compare.choice import clicked
from pages.components.compare.comparison import Comparison
from pages.components.compare.filters import BEST, FRONTIER

HEIGHT = 312
# On a phone there is room for the names of the compared networks only.
STYLE = """<style>.st-key-cmp_chart text.annotation-text {fill: currentColor !important}
@media (max-width: 640px) {.st-key-cmp_chart g.annotation%s {display: none}}</style>"""


def tradeoff(comparison: Comparison, names: dict[str, str], recipe: str) -> None:
    """The chart below the choice of its horizontal axis; `names` of the rows by id."""
    rows = comparison.rows
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("**Accuracy against**", width="content")
        column = st.segmented_control(
            "Accuracy against",
            list(AXES),
            format_func=lambda name: AXES[name].name,
            default="parameters",
            required=True,
            key="cmp_x",
            bind="query-params",
            label_visibility="collapsed",
            wrap=True,
        )
        st.caption("Click a point to add or remove it", width="content", help=READING)
    shown = set(rows["model"])
    figures = {model: figure for model, figure in known_figures(rows).items() if model in shown}
    data = points(column, rows, _published(rows, recipe, figures))
    files.offer(f"cmp_{column}", for_file(data, column))
    count = len(comparison.chosen)
    st.html(STYLE % "".join(f':not([data-index="{place}"])' for place in range(count)))
    st.plotly_chart(
        accuracy_against(
            column, data, comparison.slots, names, HEIGHT, FAR if recipe == FRONTIER else REACH
        ),
        key="cmp_chart",
        alt=f"Test accuracy against {AXES[column].title.lower()}, a point for each network. "
        "“+ add” at the bottom of the page does what a click on a point does.",
        config={"displayModeBar": False},
        on_select=functools.partial(clicked, "cmp_chart"),
        selection_mode="points",
    )


def _published(
    rows: pd.DataFrame, recipe: str, figures: Mapping[str, Mapping[str, Any]]
) -> pd.DataFrame:
    """The published figures that are shown: none beside our own recipe, and beside the frontier
    those of other small networks."""
    datasets = list(rows["dataset"].unique())
    if recipe == FRONTIER:
        return published_elsewhere(datasets)
    return published([] if recipe == BEST else datasets, figures)


READING = """
- **Whiskers**: 95 % intervals. For one run, Wilson's interval over the test images; for repeated
  runs, Student's interval of their mean, which is wide for two or three.
- **Dotted line**: the best trade-offs. No network is both further left and more accurate.
- **▽**: far below the best networks, beyond the lower edge of the chart; its accuracy is beside it.
- **Hollow circles**: published figures, where the recipe is not ours; they have no interval.
- The accuracy axis is stretched towards 100 %: equal steps are equal factors of the error.
"""
