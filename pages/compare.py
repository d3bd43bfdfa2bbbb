"""Compare: all runs in one table; accuracy against size; the curves of chosen runs."""

from __future__ import annotations

import html

import pandas as pd
import streamlit as st

from mnist_core.charts import Curve, accuracy_curves, colour, loss_curves
from mnist_core.config import DATASETS
from mnist_core.errors import LabError
from mnist_core.runs import Run
from mnist_core.summary import LIVE
from mnist_core.table import (
    best_groups,
    known_figures,
    labels_of,
    published,
    runs_table,
    select,
    title_of,
)
from mnist_core.tradeoff import CHOSEN_LIMIT, GREY, accuracy_against
from mnist_core.words import percent
from pages.parts import common
from pages.parts.choice import choose, want

GLYPHS = {"MNIST": "●", "FashionMNIST": "■", "KMNIST": "◆", "QMNIST": "▲"}
ALL = "All"


def main() -> None:
    st.title("Compare", anchor=False)
    store, runs = common.all_runs()
    if not runs:
        st.info(
            "No runs yet. Train a network on the Train page, and it appears here.",
            icon=":material/tune:",
        )
        return
    table = runs_table(store, runs)
    shown = filters(table)
    if shown.empty:
        st.info("No run matches. Clear the search or choose another data set or network.")
        return
    st.markdown(takeaway(shown))
    chosen = choose(shown, set(table["id"]))
    labels = labels_of(shown[shown["id"].isin(chosen)])
    legend(shown, chosen, labels)
    sizes(table, shown, chosen)
    show_table(shown)
    curves([run for run_id in chosen for run in runs if run.id == run_id], labels)


def filters(table: pd.DataFrame) -> pd.DataFrame:
    """The rows that the person asked for; what was asked is in the address bar."""
    datasets = [name for name in DATASETS if name in set(table["dataset"])]
    models = sorted(table["model"].unique(), key=title_of)
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
        format_func=title_of,
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
        help="Runs that hold all these words: state, recipe, optimiser, activation, seed, id …",
    )
    return select(table, None if dataset in (ALL, None) else dataset, chosen, words or "")


def takeaway(shown: pd.DataFrame) -> str:
    """One line: how many runs, and the best of each data set with its uncertainty."""
    best = [
        f"**{run['dataset']}** {run['title']} {accuracy}"
        for run, seeds in best_groups(shown)
        for accuracy in [
            f"{100 * seeds.mean:.2f} ± {100 * seeds.deviation:.2f} % ({seeds.count} seeds)"
            if seeds.deviation is not None
            else f"{percent(seeds.mean)} (95 %: {interval(run)}; 1 seed)"
        ]
    ]
    count = "1 run" if len(shown) == 1 else f"{len(shown):,} runs"
    unfinished = int(shown["test_accuracy"].isna().sum())
    count += f", {unfinished:,} of them without a test figure" if unfinished else ""
    return (
        f"{count}. Test accuracy of the best by validation: {' · '.join(best)}"
        if best
        else f"{count}."
    )


def interval(run: pd.Series) -> str:
    return f"{100 * run['test_low']:.2f}–{100 * run['test_high']:.2f}"


def legend(shown: pd.DataFrame, chosen: list[str], labels: dict[str, str]) -> None:
    """One legend for all charts: a colour for each chosen run, a sign for each data set."""
    rows = shown.set_index("id")
    entries = [
        f'<span style="white-space:nowrap"><span style="color:{colour(number)}">'
        f"{GLYPHS[rows.loc[run_id, 'dataset']]}</span> {html.escape(labels[run_id])}</span>"
        for number, run_id in enumerate(chosen)
    ]
    others = ["○ published", "● other runs"] if len(shown) > len(chosen) else ["○ published"]
    entries += [
        f'<span><span style="color:{GREY}">{words[0]}</span>{words[1:]}</span>' for words in others
    ]
    style = "display:flex;flex-wrap:wrap;gap:0.2rem 1.25rem;font-size:0.95rem"
    st.html(f'<div style="{style}">{"".join(entries)}</div>')


def sizes(table: pd.DataFrame, shown: pd.DataFrame, chosen: list[str]) -> None:
    """Accuracy against parameters and against receptive field."""
    if shown["test_accuracy"].isna().all():
        st.info("None of these runs is finished; their test accuracy appears here when one is.")
        return
    left, right = st.columns(2)
    st.caption(
        "Filled: runs of this lab at their best validation epoch; the whiskers are 95 % Wilson "
        "intervals over the test images, for one seed. Hollow: published figures, whose tooltip "
        "says how they were chosen. The axis is stretched towards 100 %; a triangle pointing "
        "down is a run below 50 %, off the axis."
    )
    references = published_figures(table, shown)
    for place, column, words in (
        (left, "parameters", "Accuracy against parameters"),
        (right, "receptive_field", "Accuracy against receptive field"),
    ):
        with place:
            st.markdown(f"##### {words}")
            st.plotly_chart(
                accuracy_against(column, shown, references, chosen),
                key=f"cmp_{column}",
                alt=f"Test {words.lower()}, a point for each finished run",
            )


def published_figures(table: pd.DataFrame, shown: pd.DataFrame) -> pd.DataFrame:
    """The references' figures for what is shown: of networks with a run and, if asked, of all."""
    others = st.toggle(
        "Published figures of networks that have no run here",
        key="cmp_published",
        bind="query-params",
        help="Their parameters and receptive fields are measured first, which takes some seconds.",
    )
    figures = known_figures(table)
    if others:
        figures = common.model_figures() | figures
    wanted = st.session_state["cmp_model"] or list(figures)
    figures = {name: row for name, row in figures.items() if name in wanted}
    return published(shown["dataset"].unique(), figures)


def show_table(shown: pd.DataFrame) -> None:
    """The table of runs; its ticked rows are the runs to compare."""
    st.markdown("##### Runs")
    in_percent = {
        name: (100 * shown[name]).round(4) for name in ("validation_accuracy", "test_accuracy")
    }
    low, high = (shown[name] for name in ("test_low", "test_high"))
    intervals = [
        f"{100 * a:.2f}–{100 * b:.2f}" if pd.notna(a) else None
        for a, b in zip(low, high, strict=True)
    ]
    states = {name: words.split(": ", 1)[-1] for name, words in common.STATES.items()}
    st.dataframe(
        shown.assign(**in_percent, interval=intervals, state=shown["state"].map(states)),
        column_config=COLUMNS,
        column_order=list(COLUMNS),
        hide_index=True,
        placeholder="–",
        key="cmp_table",
        on_select="rerun",
        selection_mode="multi-row",
        alt="All runs with accuracy, size and settings; tick a row to compare its curves",
    )
    st.caption(
        f"Tick up to {CHOSEN_LIMIT} rows to compare their curves. All figures are from a run's "
        "best validation epoch; validation is a sixth of the training images, held out."
    )
    with st.container(horizontal=True):
        st.button("Tick the best", icon=":material/star:", on_click=want, args=(None,))
        st.button("Untick all", icon=":material/close:", on_click=want, args=([],))
        if shown["state"].isin(LIVE).any():
            st.button("Look again", icon=":material/refresh:", help="Some runs still train.")


def curves(chosen: list[Run], labels: dict[str, str]) -> None:
    """Loss and accuracy by epoch of the chosen runs, overlaid."""
    if not chosen:
        st.info("Tick runs in the table to see their curves.")
        return
    overlaid = [curve(run, labels[run.id]) for run in chosen]
    if not any(drawn.history for drawn in overlaid):
        st.info("The chosen runs have no finished epoch yet.")
        return
    left, right = st.columns(2)
    with left:
        st.markdown("##### Loss by epoch")
        st.plotly_chart(
            loss_curves(overlaid, showlegend=False),
            key="cmp_loss",
            alt="Training and validation loss of the chosen runs by epoch",
        )
    with right:
        st.markdown("##### Accuracy by epoch")
        st.plotly_chart(
            accuracy_curves(overlaid, showlegend=False),
            key="cmp_accuracy",
            alt="Training and validation accuracy of the chosen runs by epoch",
        )
    st.caption("Solid: validation images. Dotted: training images. Star: best validation epoch.")


def curve(run: Run, label: str) -> Curve:
    """The run's curve; empty, with a line on the page, when its history is damaged."""
    try:
        return Curve(label, run.history, best_epoch=run.summary.best_epoch)
    except LabError as error:
        st.warning(f"{label} has no curves: {error}", icon=":material/folder_off:")
        return Curve(label, [])


def _number(label: str, help: str, format: str = "localized"):
    return st.column_config.NumberColumn(label, help=help, format=format)


COLUMNS = {
    "title": st.column_config.TextColumn("Network", pinned=True, width=120),
    "dataset": st.column_config.TextColumn("Data set"),
    "recipe": st.column_config.TextColumn(
        "Preset",
        width=150,
        help="The nearest preset of the network, and what differs from it.",
    ),
    "state": st.column_config.TextColumn("State", help="Done, or how far it is from that."),
    "test_accuracy": _number("Test", "Accuracy on the test images, read once.", "%.2f %%"),
    "interval": st.column_config.TextColumn(
        "95 % interval",
        help="Wilson's interval of the test accuracy, in per cent: how far off it may be "
        "because the test images are a sample. It says nothing of other seeds.",
    ),
    "validation_accuracy": _number(
        "Validation", "Accuracy on the held-out images; it picks the best epoch.", "%.2f %%"
    ),
    "parameters": _number("Parameters", "Numbers that the network learns."),
    "receptive_field": _number(
        "Receptive field", "Side in pixels of what one unit of the last convolution sees."
    ),
    "macs": _number("MACs", "Multiplications with addition for one image."),
    "weights_bytes": _number("File", "Size of the weights file.", "bytes"),
    "epochs_done": _number("Epochs", "Finished epochs.", "%d"),
    "epochs": _number("of", "Epochs that the run is meant to have.", "%d"),
    "best_epoch": _number("Best", "Epoch with the highest validation accuracy.", "%d"),
    "seconds": _number("Seconds", "Time spent in epochs, on its own machine.", "%.0f"),
    "seed": _number("Seed", "Start of every random choice.", "%d"),
    "device": st.column_config.TextColumn("Device"),
    "id": st.column_config.TextColumn("Id", help="The run's folder, and its name in commands."),
    "note": st.column_config.TextColumn("Note", help="Why it ended, or what is odd about it."),
}

common.enter_through_app()
main()
