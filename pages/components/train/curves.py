"""The curves of the shown run, with those of the setting shown before, or of a similar run."""

from typing import Any

import streamlit as st

from mnist_core.analysis.curves import batch_losses, curve_rows, spread_over_seeds
from mnist_core.analysis.describe import changes_in_words, nearest_run
from mnist_core.analysis.diagnosis import diagnose
from mnist_core.charts.style import FAINT, colour
from mnist_core.charts.training import Look, training_curves
from mnist_core.config import RunConfig
from mnist_core.data.idx import part_sizes
from mnist_core.runs.run import Run
from pages.components.train.controls import show

CHART_HEIGHT = 330


def curves(config: RunConfig, run: Run | None, runs: list[Run], progress: dict[str, Any]) -> None:
    """Loss and accuracy: this run's and, faint, the run's shown before; else a similar run's."""
    rows: list[dict[str, Any]] = []
    looks: dict[str, Look] = {}
    behind: dict[str, Any] = {}
    similar = None
    if run and (run.history or run.step_losses or progress.get("losses")):
        rows += curve_rows(run.id, "", [run.history], run.summary.best_epoch)
        looks[run.id] = Look(colour(0))
        behind["batches"] = batch_losses(run.step_losses, progress)
        before = shown_before(config, runs)
        if before:
            label = f"before: {changes_in_words(config, before.config)}"
            rows += curve_rows(before.id, label, [before.history])
            looks[before.id] = Look(colour(1), FAINT)
    elif similar := nearest_run(config, runs):
        rows += curve_rows(similar.id, "similar run", [similar.history])
        looks[similar.id] = Look(colour(0), FAINT)
    if not similar:
        seeds = (run.history for run in runs if run.config.group == config.group)
        behind["seeds"] = spread_over_seeds([history for history in seeds if history])
    epochs = 0 if similar else config.epochs
    for column, what in zip(st.columns(2), ("loss", "accuracy"), strict=True):
        figure = training_curves(rows, what, looks, epochs=epochs, height=CHART_HEIGHT, **behind)
        column.plotly_chart(figure, key=what, alt=f"{what.capitalize()} by epoch")
    with st.container(key="train_remark", horizontal=True, vertical_alignment="center"):
        remark(config, run, similar, bool(looks))


def shown_before(config: RunConfig, runs: list[Run]) -> Run | None:
    """The run shown before this one, if there was one and it has epochs."""
    left = st.session_state.get("train_left")
    run = next((run for run in runs if left and run.id == left.id), None)
    return run if run and run.id != config.id and run.history else None


def remark(config: RunConfig, run: Run | None, similar: Run | None, curves: bool) -> None:
    """One line below the curves, and a button for what it advises."""
    found = diagnose(run) if run else None
    if run and run.summary.note and not found:
        st.markdown(f":material/info: {run.summary.note}", width="stretch")
    elif found:
        st.markdown(f":material/lightbulb: {found.sentence}", width="stretch")
        if found.changes and st.button(
            found.advice.capitalize(), key="train_advice", icon=":material/tune:"
        ):
            show(config.replace(**found.changes))
            st.rerun()
    elif similar:
        words = changes_in_words(config, similar.config)
        st.caption(f"Faint: the most similar trained run. It has {words}.")
    elif not curves:
        st.caption(
            "This network has not been trained on this data set yet. Its curves appear here "
            "during training."
        )
    else:
        held_out = part_sizes(config.dataset).validation
        st.caption(
            f"Dotted: training images. Solid: {held_out:,} validation images, which are held out "
            "from training."
        )
