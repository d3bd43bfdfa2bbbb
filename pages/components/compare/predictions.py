"""Compare: what the chosen networks predict for the test images, from their stored logits."""

from __future__ import annotations

import itertools

import numpy as np
import streamlit as st

from mnist_core.data.idx import read_part
from mnist_core.errors import LabError
from mnist_core.evaluation.predictions import Predictions, predictions
from mnist_core.paths import data_root
from mnist_core.runs.run import Run
from pages.components.compare.comparison import Comparison
from pages.components.shared import common
from pages.components.shared.gallery import gallery

MOST = 40  # images at a time


def with_predictions(comparison: Comparison) -> tuple[list[Run], dict[str, Predictions]]:
    """The compared runs that have predictions, and these by id; says so if there are none."""
    found = read_all(comparison)
    if not found:
        st.info("None of the ticked runs has stored predictions for the test images.")
    return [run for run in comparison.compared if run.id in found], found


def read_all(comparison: Comparison) -> dict[str, Predictions]:
    """id -> predictions of the compared runs that have logits; a line about those without."""
    found, without = {}, []
    for run in comparison.compared:
        try:
            found[run.id] = predictions(comparison.store, run)
        except LabError as error:
            without.append((run, error))
    tell_missing(comparison, without)
    return found


def tell_missing(comparison: Comparison, without: list[tuple[Run, LabError]]) -> None:
    """One line for all runs without predictions, and one for each whose file is damaged."""
    absent = [run for run, _ in without if not (run.path / "logits.safetensors").exists()]
    if absent:
        names = ", ".join(comparison.labels[run.id] for run in absent)
        st.caption(f"Left out, because no predictions are stored with the run: {names}.")
    for run, error in without:
        if run not in absent:
            st.warning(f"{comparison.labels[run.id]}: {error}", icon=":material/folder_off:")


def same_data(comparison: Comparison, found: dict[str, Predictions], dataset: str) -> list[Run]:
    """The runs among `found` that were tested on the same images of this data set."""
    runs = [run for run in comparison.compared if run.id in found and run.config.dataset == dataset]
    same = [np.array_equal(found[run.id].labels, found[runs[0].id].labels) for run in runs]
    return list(itertools.compress(runs, same))


def images_of(run: Run, given: Predictions) -> np.ndarray | None:
    """The test images of these predictions; else None, and a line says how to get them."""
    dataset, root = run.config.dataset, data_root()
    if not common.images_here(dataset):
        return None
    images, labels = read_part(dataset, root, test=True)
    if not np.array_equal(labels, given.labels):
        st.info(f"{root} holds other test images of {dataset} than the run was tested with.")
        return None
    return images


def show_images(
    run: Run, given: Predictions, images: np.ndarray | None, places: np.ndarray, classes: tuple
) -> None:
    """The images with true and predicted class and confidence; each opens in the Playground."""
    shown = places[:MOST]
    if not len(shown):
        return
    words = [
        f"{classes[given.labels[i]]} → {classes[given.predicted[i]]} {given.confidence[i]:.0%}"
        for i in shown
    ]
    if images is None:
        numbers = ", ".join(f"{i}" for i in shown)
        st.caption(f"Their numbers in the test set: {numbers}{' …' if len(places) > MOST else ''}")
        return
    gallery(
        [np.asarray(images[i]) for i in shown],
        words,
        [f"playground?play_run={run.id}&play_test={i}" for i in shown],
        [bool(given.labels[i] != given.predicted[i]) for i in shown],
    )
    more = f" The first {MOST} of {len(places):,}." if len(places) > MOST else ""
    st.caption(
        f"True class → predicted class, with its confidence. A click opens the Playground.{more}"
    )
