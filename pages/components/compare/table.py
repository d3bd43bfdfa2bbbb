"""Compare's table of runs, the filters above it and the buttons below."""

from typing import Any

import pandas as pd
import streamlit as st

from mnist_core.analysis.table import select
from mnist_core.charts.pareto import CHOSEN_LIMIT
from mnist_core.dataset_specs import dataset_names
from mnist_core.formatting import percent_range
from mnist_core.models import model_title
from mnist_core.models.stats import shipped_stats
from mnist_core.runs.states import LIVE, RunState
from pages.components.compare.choice import FIRST_LIMIT, asked_for, want
from pages.components.compare.comparison import number_column
from pages.components.shared import common

ALL = "All"
ACCURACIES = ["test_accuracy", "validation_accuracy"]
IN_PERCENT = [*ACCURACIES, *(f"{name}_deviation" for name in ACCURACIES)]


def filters(table: pd.DataFrame) -> pd.DataFrame:
    """The runs that pass the filters, which are in the address bar."""
    datasets = [name for name in dataset_names() if name in set(table["dataset"])]
    models = sorted(table["model"].unique(), key=model_title)
    states = [state.value for state in RunState if state in set(table["state"])]
    left, middle, right = st.columns([5, 4, 3], vertical_alignment="bottom")
    dataset = left.pills(
        "Data set",
        [ALL, *datasets],
        default=ALL,
        required=True,
        wrap=True,
        key="cmp_dataset",
        bind="query-params",
        help="Which images the networks learned.",
    )
    chosen = middle.multiselect(
        "Network",
        models,
        format_func=model_title,
        placeholder="All networks",
        key="cmp_model",
        bind="query-params",
        help="Only these networks; none chosen means all.",
    )
    words = right.text_input(
        "Search",
        placeholder="e.g. tutorial seed 2",
        icon=":material/search:",
        key="cmp_text",
        bind="query-params",
        help="Runs that contain all these words: state, recipe, optimiser, activation, seed, id …",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        state = _state(states)
        st.toggle(
            "Average repeated runs",
            value=True,
            key="cmp_fold",
            bind="query-params",
            help="Shows runs that differ only in their seed as one row: mean ± standard deviation.",
        )
        table = _without_grid(table)
    rows = select(table, None if dataset in (ALL, None) else dataset, chosen, words or "")
    if state:
        rows = rows[rows["state"].isin(state)].reset_index(drop=True)
    return rows


def _state(states: list[str]) -> list[str]:
    """The chosen states; asked for only where there is a choice."""
    if len(states) < 2:
        return []
    return st.pills(
        "State",
        states,
        selection_mode="multi",
        format_func=lambda name: common.STATES[name].split(": ", 1)[-1],
        wrap=True,
        key="cmp_state",
        bind="query-params",
        label_visibility="collapsed",
        help="Only runs in these states; none chosen means all.",
    )


def _without_grid(table: pd.DataFrame) -> pd.DataFrame:
    """Leaves out the hundreds of quick runs, unless the visitor wants them."""
    grid = table["bundled"]
    if not grid.any() or grid.all():
        return table
    count = int(grid.sum())
    if st.toggle(
        f"Include quick runs ({count:,} runs)",
        key="cmp_grid",
        bind="query-params",
        help="A short run for every setting of the Train page's sliders: curves and figures, "
        "without weights.",
    ):
        return table
    return table[~grid | table["id"].isin(asked_for())].reset_index(drop=True)


def show_table(rows: pd.DataFrame) -> None:
    """The table of runs; its ticked rows are the ones to compare."""
    several = bool((rows["seeds"] > 1).any())  # else there are no deviations to show
    order = [name for name in COLUMNS if several or not name.endswith("_deviation")]
    words = {name: text.split(": ", 1)[-1] for name, text in common.STATES.items()}
    states = [
        words[state] + (f", {left} unfinished" if left else "")
        for state, left in zip(rows["state"], rows["unfinished"], strict=True)
    ]
    latency = f"Median milliseconds for one image, measured on: {shipped_stats().machine}."
    intervals: list[Any] = [
        percent_range(low, high) if pd.notna(low) else None
        for low, high in zip(rows["test_low"], rows["test_high"], strict=True)
    ]
    shown = rows.assign(interval=intervals, state=states)[list(COLUMNS)]
    shown[IN_PERCENT] *= 100
    st.dataframe(
        shown,
        column_config=COLUMNS | {"latency_ms": number_column("Latency", latency, "%.2f ms")},
        column_order=order,
        hide_index=True,
        placeholder="–",
        key="cmp_table",
        on_select="rerun",
        selection_mode="multi-row",
        alt="All runs with accuracy, size and settings; tick a row to compare it",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(f"Compare top {FIRST_LIMIT}", icon=":material/star:", on_click=want, args=(None,))
        st.button("Untick all", icon=":material/close:", on_click=want, args=([],))
        if rows["state"].isin(LIVE).any():
            st.button("Refresh", icon=":material/refresh:", help="Some runs are still training.")
        st.caption(
            f"Tick up to {CHOSEN_LIMIT} rows to compare them below. Figures are from a run's best "
            "validation epoch; a sixth of the training images is held out for validation."
        )


COLUMNS = {
    "title": st.column_config.TextColumn("Network", pinned=True, width=120),
    "dataset": st.column_config.TextColumn("Data set"),
    "test_accuracy": number_column(
        "Test",
        "Accuracy on the test images at the best epoch; of several seeds the mean.",
        "%.2f %%",
    ),
    "test_accuracy_deviation": number_column(
        "Test ±", "Standard deviation of the test accuracy over seeds.", "%.2f"
    ),
    "interval": st.column_config.TextColumn(
        "95 % interval",
        help="In per cent. One seed: Wilson's interval over the test images. Several seeds: "
        "Student's interval of their mean.",
    ),
    "seeds": number_column("Seeds", "Finished runs that differ only by seed.", "%d"),
    "recipe": st.column_config.TextColumn(
        "Recipe",
        width=150,
        help="The most similar recipe of the network, and what differs from it.",
    ),
    "validation_accuracy": number_column(
        "Validation",
        "Accuracy on the validation images; it decides which epoch is the best.",
        "%.2f %%",
    ),
    "validation_accuracy_deviation": number_column(
        "Validation ±", "Standard deviation of the validation accuracy over seeds.", "%.2f"
    ),
    "parameters": number_column("Parameters", "Numbers that the network learns."),
    "macs": number_column("MACs", "Multiply-accumulate operations for one image.", "compact"),
    "latency_ms": None,
    "receptive_field": number_column(
        "Receptive field", "Side in pixels of what one unit of the last convolution sees."
    ),
    "weights_bytes": number_column("File", "Size of the weights file.", "bytes"),
    "epochs_done": number_column("Epochs", "Finished epochs.", "%d"),
    "best_epoch": number_column("Best epoch", "Epoch with the highest validation accuracy.", "%d"),
    "seconds": number_column("Seconds", "Training time on the run's own machine.", "%.0f"),
    "state": st.column_config.TextColumn("State", help="How the run stands."),
    "epochs": number_column("Planned epochs", "Epochs that the run was configured for.", "%d"),
    "seed": number_column(
        "Seed", "Seed of every random choice; of several seeds that of the best run.", "%d"
    ),
    "device": st.column_config.TextColumn("Device"),
    "id": st.column_config.TextColumn("Id", help="The run's folder, and its name in commands."),
    "note": st.column_config.TextColumn("Note", help="Why it ended, or what is unusual about it."),
}
