"""Compare: the networks' accuracy on rotated, shifted, noisy … test images."""

import numpy as np
import streamlit as st

from mnist_core.analysis.describe import full_name
from mnist_core.analysis.evaluations import robustness_points
from mnist_core.charts.evaluations import robustness_curves
from mnist_core.data.idx import missing_files, read_part
from mnist_core.errors import LabError
from mnist_core.evaluation import robustness
from mnist_core.formatting import plain
from mnist_core.imaging.corruptions import CORRUPTIONS
from mnist_core.imaging.sample_drawings import example_image
from mnist_core.jobs import robustness_job
from mnist_core.paths import data_root
from mnist_core.runs.run import Run
from pages.components.compare.comparison import Comparison, chart, read_or_warn
from pages.components.shared.common import attempt
from pages.components.shared.terms import term
from pages.components.shared.visitor import actions, may_change

POLL = 1.0  # seconds between two looks at the process


def robust_tab(comparison: Comparison) -> None:
    """The curves of the runs with a stored result, and a button to compute the others'."""
    found = {run_id: stored_curves(comparison, run_id) for run_id in comparison.chosen}
    without = [run_id for run_id, curves in found.items() if curves is None]
    missing = {run_id: comparison.with_weights(run_id) for run_id in without}
    if missing:
        compute(comparison, missing)
    ready = {run_id: curves for run_id, curves in found.items() if curves}
    if not ready:
        return
    st.caption(f"{term('Robustness')}: accuracy on test images that were changed.")
    data = robustness_points({comparison.labels[run_id]: ready[run_id] for run_id in ready})
    numbers = [comparison.slots[run_id] for run_id in ready]
    picture = example(comparison.runs[next(iter(ready))].config.dataset)
    for place, kind in enumerate(CORRUPTIONS):
        if place % 2 == 0:
            columns = st.columns(2, gap="medium")
        with columns[place % 2]:
            mine = data[data["corruption"] == kind]
            title = CORRUPTIONS[kind].title
            chart(
                title,
                robustness_curves(data, kind, numbers, picture),
                mine,
                f"cmp_robust_{kind}",
                f"Test accuracy against {title.lower()} for each network",
            )
    st.caption(
        "Accuracy on all test images of each network's data set, changed as the axis says; "
        "whiskers are 95 % Wilson intervals. Shifted images move right, down, left and up in turn. "
        "Above the curves, one of the images at every level."
    )


def stored_curves(comparison: Comparison, run_id: str) -> robustness.Robustness | None:
    """Those of the best run of a row that has any; a line on the page for a damaged file."""
    for run in comparison.members(run_id):
        curves = read_or_warn(comparison.labels[run_id], robustness.stored, run)
        if curves:
            return curves
    return None


def example(dataset: str) -> np.ndarray:
    """(28, 28) uint8: the first test image or, without the data set, a drawing."""
    root = data_root()
    if not missing_files(dataset, root):
        return np.array(read_part(dataset, root, test=True)[0][0])
    return example_image(dataset)


def compute(comparison: Comparison, missing: dict[str, Run]) -> None:
    """Progress while a process is at work; else a button that starts one. `missing`: by row."""
    if robustness_job.job(comparison.store):
        progress(comparison, list(missing.values()))
        return
    failed = robustness_job.why_it_failed(comparison.store)
    if failed:
        st.error(plain(failed), icon=":material/error:")
    able = {run_id: run for run_id, run in missing.items() if run.has_weights}
    here = {k: run for k, run in able.items() if not missing_files(run.config.dataset, data_root())}
    if not here or not may_change():
        names = comparison.names(list(missing))
        why = "it needs the data set" if able else "the run has no weights"
        why = "this lab is for looking only" if here else why
        st.caption(f"Not computed for {names}: {why}.")
        return
    names = comparison.names(list(here))
    if st.button(
        f"Compute for {names}",
        key="cmp_compute",
        icon=":material/play_arrow:",
        help=f"Evaluates each network {robustness.STEPS} times on all test images, in a process of "
        "its own, and stores the result with the run.",
    ):
        act, ids = actions(comparison.store), [run.id for run in here.values()]
        attempt(lambda: act.compute_robustness(ids))


def _is_kept(run: Run) -> bool:
    try:
        return robustness.stored(run) is not None
    except LabError:
        return False


def name_of(run: Run | None) -> str:
    return full_name(run.config) if run else "A network"


@st.fragment(run_every=POLL)
def progress(comparison: Comparison, missing: list[Run]) -> None:
    """Looks every second, and runs the whole page when the process is done with a network."""
    at = robustness_job.job(comparison.store)
    if at is None or any(_is_kept(run) for run in missing):
        st.rerun()
    left, right = st.columns([5, 1], vertical_alignment="center")
    name = comparison.labels.get(at.run) or name_of(comparison.runs.get(at.run))
    left.progress(min(1.0, at.done / at.total), f"{name}: step {at.done} of {at.total}")
    act = actions(comparison.store)
    trusted = may_change() and act.visitor.trusted
    if trusted and right.button("Stop", icon=":material/stop:", key="cmp_robust_stop"):
        attempt(act.stop_robustness)
