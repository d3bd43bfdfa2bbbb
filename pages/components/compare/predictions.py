"""Compare: what the chosen networks read in the test images, from the logits they keep."""

from __future__ import annotations

import numpy as np
import streamlit as st

from mnist_core.data.idx import has_images, read_part
from mnist_core.errors import LabError
from mnist_core.evaluation.predictions import Predictions, predictions
from mnist_core.paths import data_root
from mnist_core.runs.run import Run
from pages.components.compare.scene import Scene
from pages.components.shared.gallery import gallery

MOST = 40  # images at a time


def read_all(scene: Scene) -> dict[str, Predictions]:
    """id -> readings of the compared runs that keep logits; a line about those that do not."""
    found, without = {}, []
    for run in scene.compared:
        try:
            found[run.id] = predictions(scene.store, run)
        except LabError as error:
            without.append((run, error))
    tell_missing(scene, without)
    return found


def tell_missing(scene: Scene, without: list[tuple[Run, LabError]]) -> None:
    """One line for all runs that keep no answers, and one for each whose answers are damaged."""
    absent = [run for run, _ in without if not (run.path / "logits.safetensors").exists()]
    if absent:
        names = ", ".join(scene.labels[run.id] for run in absent)
        st.caption(f"Left out, since no answers are kept with the run: {names}.")
    for run, error in without:
        if run not in absent:
            st.warning(f"{scene.labels[run.id]}: {error}", icon=":material/folder_off:")


def same_data(scene: Scene, found: dict[str, Predictions], dataset: str) -> list[Run]:
    """The runs among `found` that were asked about the same test images."""
    runs = [run for run in scene.compared if run.id in found and run.config.dataset == dataset]
    first = next(iter(runs), None)
    return [run for run in runs if np.array_equal(found[run.id].labels, found[first.id].labels)]


def images_of(run: Run, given: Predictions) -> np.ndarray | None:
    """The test images that the readings are about; else None, and a line says how to get them."""
    dataset, root = run.config.dataset, data_root()
    if not has_images(dataset, root):
        st.info(
            f"The images are not on this machine; the figures need none. To see them: "
            f"`python -m mnist_core datasets --download {dataset}`, or point `MNIST_DATA` at a "
            "folder that has them.",
            icon=":material/image_not_supported:",
        )
        return None
    images, labels = read_part(dataset, root, test=True)
    if not np.array_equal(labels, given.labels):
        st.info(f"{root} holds other test images of {dataset} than the run was tested with.")
        return None
    return images


def show_images(
    run: Run, given: Predictions, images: np.ndarray | None, places: np.ndarray, classes: tuple
) -> None:
    """The images with true class, answer and confidence; each opens in the playground."""
    shown = places[:MOST]
    if not len(shown):
        return
    words = [
        f"{classes[given.labels[i]]} → {classes[given.predicted[i]]} {given.confidence[i]:.0%}"
        for i in shown
    ]
    if images is None:
        numbers = ", ".join(f"{i}" for i in shown)
        st.caption(f"Their places in the test set: {numbers}{' …' if len(places) > MOST else ''}")
        return
    gallery(
        [np.asarray(images[i]) for i in shown],
        words,
        [f"playground?play_run={run.id}&play_test={i}" for i in shown],
        [bool(given.labels[i] != given.predicted[i]) for i in shown],
    )
    more = f" The first {MOST} of {len(places):,}." if len(places) > MOST else ""
    st.caption(f"True class → answer, and its confidence. A click opens the playground.{more}")
