"""Compare: the table of all runs; its ticked rows are those that are compared."""

from typing import Any

import pandas as pd
import streamlit as st

from mnist_core.analysis.table import best_networks
from mnist_core.charts.pareto import CHOSEN_LIMIT
from mnist_core.formatting import percent_range
from mnist_core.models.stats import shipped_stats
from mnist_core.runs.states import LIVE
from pages.components.compare import files
from pages.components.compare.choice import TOP, want
from pages.components.compare.comparison import Comparison, number_column
from pages.components.compare.organise import organise
from pages.components.shared import common

ACCURACIES = ["test_accuracy", "validation_accuracy"]
IN_PERCENT = [*ACCURACIES, *(f"{name}_deviation" for name in ACCURACIES)]
AT_ONCE = 50  # rows; more would make a box that scrolls within the page


def table_tab(comparison: Comparison) -> None:
    """Every run that the filters show."""
    rows = comparison.rows
    files.offer("cmp_runs", rows.drop(columns=["members", "search", "yours", "created"]))
    if len(rows) > AT_ONCE and not st.toggle(f"Show all {len(rows):,} rows", key="cmp_whole"):
        rows = rows.head(AT_ONCE)
    tick_chosen(rows, comparison.chosen)
    show_table(rows)
    ticked_runs = [run for run_id in comparison.chosen for run in comparison.members(run_id)]
    organise(comparison.store, ticked_runs)


def tick_chosen(rows: pd.DataFrame, chosen: list[str]) -> None:
    """Ticks the compared rows of the table, before it is drawn."""
    state, ids = st.session_state, rows["id"].tolist()
    ticks = sorted(ids.index(run_id) for run_id in chosen if run_id in ids)
    if "cmp_table" not in state or sorted(state["cmp_table"]["selection"]["rows"]) != ticks:
        state["cmp_table"] = {"selection": {"rows": ticks, "columns": [], "cells": []}}
    state["cmp_listed"] = ids


def ticked() -> None:
    """What is ticked in the table is compared, in the order in which it was chosen."""
    state = st.session_state
    ticks = [state["cmp_listed"][row] for row in state["cmp_table"]["selection"]["rows"]]
    unlisted = [run_id for run_id in state["cmp_chosen"] if run_id not in state["cmp_listed"]]
    kept = [run_id for run_id in state["cmp_chosen"] if run_id in ticks or run_id in unlisted]
    wanted = kept + [run_id for run_id in ticks if run_id not in kept]
    if len(wanted) > CHOSEN_LIMIT:
        st.toast(f"Up to {CHOSEN_LIMIT} networks can be compared: take one out first.")
    want(wanted[:CHOSEN_LIMIT])


def show_table(rows: pd.DataFrame) -> None:
    """The table of runs; its ticked rows are the ones to compare."""
    several = bool((rows["seeds"] > 1).any())  # else there are no deviations to show
    order = [name for name in COLUMNS if several or not name.endswith("_deviation")]
    order = [name for name in order if name not in SAID or rows[name].any()]
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
        on_select=ticked,
        selection_mode="multi-row",
        height="content",
        alt="All runs with accuracy, size and settings; tick a row to compare it",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        best = best_networks(rows, TOP)
        st.button(
            f"Compare top {TOP}",
            icon=":material/star:",
            on_click=want,
            args=(best,),
            help=f"The {TOP} networks with the highest validation accuracy.",
        )
        st.button(
            "Start over",
            icon=":material/close:",
            on_click=want,
            args=(None,),
            help="Compares what the page opens with.",
        )
        if rows["state"].isin(LIVE).any():
            st.button("Refresh", icon=":material/refresh:", help="Some runs are still training.")
        st.caption(
            f"Tick up to {CHOSEN_LIMIT} rows to compare them. Figures are from a run's best "
            "validation epoch; a sixth of the training images is held out for validation."
        )


SAID = ("label", "tags")  # by people; shown where somebody has said any
COLUMNS = {
    "title": st.column_config.TextColumn("Network", width=130),
    "label": st.column_config.TextColumn("Label", help="What somebody has called the run."),
    "tags": st.column_config.TextColumn("Tags"),
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
        "Receptive field",
        "Side in pixels of what one unit of the last convolution sees.",
        width=118,
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
