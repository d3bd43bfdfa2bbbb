"""Compare: the mistakes behind the accuracy."""

import numpy as np
import pandas as pd
import streamlit as st

from mnist_core.analysis.evaluations import class_points
from mnist_core.charts.evaluations import class_accuracies
from mnist_core.evaluation.metrics import confusion
from mnist_core.evaluation.predictions import Predictions, agreement
from mnist_core.formatting import counted, percent, plain
from pages.components.compare import files
from pages.components.compare.comparison import Comparison, chart, pick
from pages.components.compare.predictions import (
    Tested,
    count_images,
    read_predictions,
    same_data,
    show_images,
    which_runs,
)
from pages.components.shared.terms import see

TRUE = "true"  # the column of true classes
RIGHT, WRONG = "13, 148, 136", "209, 66, 111"  # of cells, with an opacity: on light and on dark


def mistakes_tab(comparison: Comparison) -> None:
    """Confusion matrix with the images behind it; accuracy by class; what all get wrong."""
    found = read_predictions(comparison)
    if not found:
        return
    run_id = pick(comparison, list(found), "cmp_network", "The network whose mistakes are shown.")
    tested = found[run_id]
    left, right = st.columns([5, 4] if _short(tested.classes) else [3, 2], gap="medium")
    with left:
        cell = confusion_matrix(tested)
    with right:
        cell_images(tested, cell)
    peers = {k: each.given for k, each in same_data(found, run_id).items()}
    by_class_chart(comparison, peers, tested.classes)
    if len(peers) > 1:
        agreements(comparison, tested, peers, comparison.labels[run_id])
    runs = which_runs(comparison, found)
    if runs:
        st.caption(f"Of repeated runs, one is shown: {runs}.")


def confusion_matrix(tested: Tested) -> tuple[int, int] | None:
    """The matrix as a table with coloured cells; the clicked cell as (true, predicted)."""
    given, classes = tested.given, list(tested.classes)
    counts = confusion(given.predicted, given.labels, len(classes))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader("Confusion matrix", width="content", anchor=False)
        shares = st.toggle(
            "In per cent",
            key="cmp_shares",
            bind="query-params",
            help="Each row as shares of its true class, instead of counts."
            + see("confusion matrix"),
        )
        frame = pd.DataFrame(counts, index=classes, columns=classes)
        files.offer("cmp_confusion", frame.rename_axis("true class").reset_index())
    totals = counts.sum(axis=1, keepdims=True)
    part = counts / np.maximum(totals, 1)
    shown = (100 * part).round(2) if shares else counts
    table = pd.DataFrame(shown, columns=classes)
    table.insert(0, TRUE, classes)
    width = 32 if _short(tested.classes) else 78
    numbers = st.column_config.NumberColumn(width=39, format="%.1f" if shares else "%d")
    columns = {TRUE: st.column_config.TextColumn(width=width)}
    event = st.dataframe(
        table.style.apply(lambda _: _tints(part, counts, table), axis=None),
        hide_index=True,
        column_config=columns | dict.fromkeys(classes, numbers),
        key=f"cmp_cells_{tested.run.id}",
        on_select="rerun",
        selection_mode="single-cell",
        width="content",
        height="content",
        alt="True classes by row, predicted classes by column; a cell opens its images",
    )
    st.caption(
        "Rows are true classes, columns predicted classes; mistakes lie off the diagonal. "
        "Click a cell to see its images."
    )
    cells = event["selection"]["cells"]
    if cells and cells[0][1] in classes and cells[0][0] < len(classes):
        return cells[0][0], classes.index(cells[0][1])
    return None


def _short(classes: tuple) -> bool:
    return max(map(len, classes)) == 1


def _tints(part: np.ndarray, counts: np.ndarray, table: pd.DataFrame) -> pd.DataFrame:
    """Stronger for larger shares, on a root scale: one mistake in a hundred can be seen."""
    styles = np.full(table.shape, "", dtype=object)
    styles[:, 0] = "font-weight: 600"
    for row, column in zip(*np.nonzero(counts), strict=True):
        same = row == column
        share = part[row, column]
        strength = 0.15 + 0.35 * share if same else min(0.75, 0.12 + 2 * share**0.5)
        colour = f"rgba({RIGHT if same else WRONG}, {strength:.2f})"
        styles[row, column + 1] = f"background-color: {colour}"
    return pd.DataFrame(styles, index=table.index, columns=table.columns)


def cell_images(tested: Tested, cell: tuple[int, int] | None) -> None:
    """The images in the clicked cell, the most confident first; else the worst mistakes."""
    classes = tested.classes
    if cell is None:
        places = tested.given.wrong
        st.subheader(f"{counted(len(places), 'mistake')}, the most confident first", anchor=False)
    else:
        places = tested.given.in_cell(*cell)
        kind = "predicted correctly" if cell[0] == cell[1] else f"taken for {classes[cell[1]]}"
        st.subheader(f"{classes[cell[0]]} {kind}: {len(places):,}", anchor=False)
    with st.container(height=430 if tested.images is not None else "content", border=False):
        show_images(tested, places)


def by_class_chart(comparison: Comparison, peers: dict[str, Predictions], classes: tuple) -> None:
    """Accuracy of each class, the networks side by side."""
    networks = {comparison.labels[run_id]: given for run_id, given in peers.items()}
    data = class_points(networks, classes)
    chart(
        "Accuracy by class",
        class_accuracies(data, [comparison.slots[run_id] for run_id in peers]),
        data,
        "cmp_classes",
        "Accuracy of each class with its 95 % Wilson interval, for each network",
    )


def agreements(
    comparison: Comparison, tested: Tested, peers: dict[str, Predictions], name: str
) -> None:
    """The images that all, some or none of the networks, `peers` by run id, get right."""
    groups = agreement(list(peers.values()))
    total = len(tested.given.labels)
    st.subheader(f"Where the {len(peers)} networks agree", anchor=False)
    kind = st.segmented_control(
        "Predicted correctly by",
        ["all", "some", "none"],
        default="none",
        required=True,
        key="cmp_agree",
        bind="query-params",
        help="How many of the compared networks are right about an image.",
    )
    st.caption(
        f"Always trusting the right one of these {len(peers)} networks would reach "
        f"{percent((total - len(groups.none)) / total)}: the remaining images are wrong for all of "
        "them."
    )
    places = getattr(groups, kind)
    verb = "is" if len(places) == 1 else "are"
    words = (
        f"{count_images(places)} {verb} predicted correctly by {kind} of the {len(peers)} networks"
    )
    if kind == "some" and len(places):
        right = np.stack([given.correct for given in peers.values()]).sum(axis=0)
        words += f", {int((right[places] == 1).sum()):,} of them by only one; the hardest first"
    st.markdown(f"{words}. {plain(name)} predicts:")
    show_images(tested, places)
