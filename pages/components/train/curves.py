"""The curves of the shown run, with those of the setting shown before, or of a similar run."""

from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from mnist_core.analysis.curves import batch_losses, curve_rows, spread_over_seeds
from mnist_core.analysis.describe import changes_in_words, nearest_run
from mnist_core.analysis.diagnosis import diagnose
from mnist_core.charts.style import FAINT, GREY, colour
from mnist_core.charts.training import Look, training_curves
from mnist_core.config import RunConfig
from mnist_core.data.idx import part_sizes
from mnist_core.runs.run import Run
from mnist_core.runs.states import LIVE
from pages.components.train.layout import reachable

CHART_HEIGHT = 236
BEFORE = 0.9  # opacity of the grey line
FAILED = ("stuck", "diverged")  # no epoch of such a run is called its best


@dataclass
class Curves:
    """What both charts draw, a sentence about it, and one about the grey line."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    looks: dict[str, Look] = field(default_factory=dict)
    behind: dict[str, Any] = field(default_factory=dict)
    words: str = ""
    before: str = ""


def curves_of(config: RunConfig, run: Run | None, runs: list[Run]) -> Curves:
    """This run's curves and, grey, one of the run shown before; else a similar run's, faint.

    Raises LabError for a damaged file.
    """
    progress = run.folder.progress() if run and run.state in LIVE else {}
    if run and (run.history or run.step_losses or progress.get("losses")):
        return own_curves(config, run, runs, progress)
    similar = nearest_run(config, runs)
    if similar is None:
        words = "This network has not been trained on this data set yet."
        return Curves(behind={"epochs": config.epochs}, words=words)
    rows = curve_rows(similar.id, "similar run", [similar.history])
    words = (
        f"Faint: the most similar trained run. It has {changes_in_words(config, similar.config)}."
    )
    return Curves(rows, {similar.id: Look(colour(0), FAINT)}, words=words)


def own_curves(config: RunConfig, run: Run, runs: list[Run], progress: dict[str, Any]) -> Curves:
    found = diagnose(run)
    failed = found is not None and found.kind in FAILED
    rows = curve_rows(run.id, "", [run.history], None if failed else run.summary.best_epoch)
    looks = {run.id: Look(colour(0))}
    held_out = part_sizes(config.dataset).validation
    words = f"Validation: {held_out:,} images held out from training."
    words += " ★ best epoch." if any(row["best"] for row in rows) else ""
    grey = ""
    before = shown_before(config, runs)
    if before:
        changes = changes_in_words(config, before.config)
        rows += curve_rows(before.id, f"before: {changes}", [before.history])
        looks[before.id] = Look(GREY, BEFORE, name="before")
        grey = f"Grey: validation before, with {changes}."
    seeds = (other.history for other in runs if other.config.group == config.group)
    behind = {
        "batches": batch_losses(run.step_losses, progress or {"steps": run.summary.steps}),
        "seeds": spread_over_seeds([history for history in seeds if history]),
        "epochs": config.epochs,
    }
    return Curves(rows, looks, behind, words, grey)


def curves(run: Run | None, shown: Curves) -> None:
    """Accuracy and loss, side by side."""
    empty = "The first point comes after epoch 1." if run else "Not trained yet."
    with st.container(key="train_curves", horizontal=True, gap="small"):
        reachable("Accuracy and loss")
        for what in ("accuracy", "loss"):
            figure = training_curves(
                shown.rows, what, shown.looks, height=CHART_HEIGHT, empty=empty, **shown.behind
            )
            with st.container(key=f"train_{what}"):
                st.plotly_chart(
                    figure,
                    key=what,
                    config={"displayModeBar": False},
                    alt=f"{what.capitalize()} by epoch",
                )


def shown_before(config: RunConfig, runs: list[Run]) -> Run | None:
    """The run of the same network that was shown before this one, if it has epochs."""
    left = st.session_state.get("train_left")
    kind = config.dataset, config.model
    run = next((run for run in runs if left and run.id == left.id), None)
    if run is None or run.id == config.id or (run.config.dataset, run.config.model) != kind:
        return None
    return run if run.history else None
