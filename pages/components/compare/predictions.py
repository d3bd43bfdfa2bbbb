"""Compare: what the chosen networks predict for the test images, from their stored logits."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from mnist_core.data.idx import read_part
from mnist_core.dataset_specs import dataset_spec
from mnist_core.evaluation.predictions import Predictions, predictions
from mnist_core.paths import data_root
from mnist_core.runs.run import Run
from pages.components.compare.comparison import Comparison, read_or_warn
from pages.components.shared import common
from pages.components.shared.gallery import gallery

MOST = 40  # images at a time


@dataclass(frozen=True, eq=False)
class Tested:
    """A run, what it predicts for the test images, and these: (N, 28, 28), None if not here."""

    run: Run
    given: Predictions
    images: np.ndarray | None

    @property
    def classes(self) -> tuple[str, ...]:
        return dataset_spec(self.run.config.dataset).classes


def read_predictions(comparison: Comparison) -> dict[str, Predictions]:
    """The predictions of the compared runs by run id, and a line about runs without."""
    runs = comparison.compared
    stored = [run for run in runs if run.logits_file.exists()]
    absent = ", ".join(comparison.labels[run.id] for run in runs if run not in stored)
    if absent:
        st.caption(f"Left out, because no predictions are stored with the run: {absent}.")
    found = {}
    for run in stored:
        read = read_or_warn(comparison.labels[run.id], predictions, comparison.store, run)
        if read:
            found[run.id] = read
    if not found:
        st.info("None of the ticked runs has stored predictions for the test images.")
    return found


def same_data(
    comparison: Comparison, found: dict[str, Predictions], run: Run
) -> dict[str, Predictions]:
    """Those of the runs that were tested on the same images as this one."""
    return {
        run_id: given
        for run_id, given in found.items()
        if comparison.runs[run_id].config.dataset == run.config.dataset
        and np.array_equal(given.labels, found[run.id].labels)
    }


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


def show_images(tested: Tested, places: np.ndarray) -> None:
    """The images with true and predicted class and confidence; each opens in the Playground."""
    shown, given, classes = places[:MOST], tested.given, tested.classes
    if not len(shown):
        return
    words = [
        f"{classes[given.labels[i]]} → {classes[given.predicted[i]]} {given.confidence[i]:.0%}"
        for i in shown
    ]
    if tested.images is None:
        numbers = ", ".join(f"{i}" for i in shown)
        st.caption(f"Their numbers in the test set: {numbers}{' …' if len(places) > MOST else ''}")
        return
    gallery(
        [np.asarray(tested.images[i]) for i in shown],
        words,
        [f"playground?play_run={tested.run.id}&play_test={i}" for i in shown],
        [bool(given.labels[i] != given.predicted[i]) for i in shown],
    )
    more = f" The first {MOST} of {len(places):,}." if len(places) > MOST else ""
    st.caption(
        f"True class → predicted class, with its confidence. A click opens the Playground.{more}"
    )
