"""The curves of the shown run, with those of the setting shown before, or of a similar run."""

from __future__ import annotations

import streamlit as st

from mnist_core.analysis.describe import changes_in_words, nearest_run
from mnist_core.analysis.diagnosis import diagnose
from mnist_core.charts import training
from mnist_core.config import RunConfig
from mnist_core.data.idx import part_sizes
from mnist_core.runs.store import Run
from pages.components.train.controls import show

CHART_HEIGHT = 330


def curve_of(run: Run, label: str, progress: dict | None = None, faint: bool = False):
    """A run's curves, with the losses of the epoch in progress."""
    losses = list(run.step_losses)
    if progress and progress.get("losses"):
        now = progress["epoch"]
        losses = [row for row in losses if row["epoch"] < now]
        losses += [{"epoch": now, "step": step, "loss": loss} for step, loss in progress["losses"]]
    per_epoch = int((progress or {}).get("steps") or max((r["step"] for r in losses), default=0))
    best = run.summary.best_epoch
    return training.Curve(label, run.history, best, faint, () if faint else losses, per_epoch)


def curves(config: RunConfig, run: Run | None, runs: list[Run], progress: dict) -> None:
    """Loss and accuracy: this run's and, faint, the run's shown before; else a similar run's."""
    stand_in = None
    if run and (run.history or run.step_losses or progress.get("losses")):
        shown = [curve_of(run, "", progress), *before(config, runs)]
    else:
        stand_in = nearest_run(config, runs)
        shown = [curve_of(stand_in, "similar run", faint=True)] if stand_in else []
    band = None if stand_in else band_of(config, runs)
    columns = st.columns(2)
    for column, name, draw in zip(
        columns, ("loss", "accuracy"), (training.loss_curves, training.accuracy_curves), strict=True
    ):
        figure = draw(shown, CHART_HEIGHT, 0 if stand_in else config.epochs, band)
        column.plotly_chart(figure, key=name, alt=f"{name.capitalize()} by epoch")
    with st.container(key="train_remark", horizontal=True, vertical_alignment="center"):
        remark(config, run, stand_in, bool(shown))


def before(config: RunConfig, runs: list[Run]) -> list[training.Curve]:
    """The run shown before this one, if there was one; labelled with what was different there."""
    left = st.session_state.get("train_left")
    run = next((run for run in runs if left and run.id == left.id), None)
    if left is None or run is None or run.id == config.id or not run.history:
        return []
    return [curve_of(run, f"before: {changes_in_words(config, left)}", faint=True)]


def band_of(config: RunConfig, runs: list[Run]) -> training.Band | None:
    """Mean and deviation over the seeds of this config, from two on."""
    group = [run.history for run in runs if run.config.group == config.group]
    group = [history for history in group if history]
    return training.Band(group) if len(group) > 1 else None


def remark(config: RunConfig, run: Run | None, stand_in: Run | None, curves: bool) -> None:
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
    elif stand_in:
        words = changes_in_words(config, stand_in.config)
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
