"""Compare: what the chosen networks predict for the test images, from their stored logits."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import streamlit as st

from mnist_core.data.idx import missing_files, read_part
from mnist_core.dataset_specs import dataset_spec
from mnist_core.evaluation.predictions import Predictions, predictions
from mnist_core.formatting import counted
from mnist_core.paths import data_root
from mnist_core.runs.run import Run
from pages.components.compare.comparison import Comparison, read_or_warn
from pages.components.shared.gallery import gallery, numbered, reading

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


def keeps_logits(run: Run) -> bool:
    return run.logits_file.exists()


def read_predictions(comparison: Comparison, quiet: bool = False) -> dict[str, Tested]:
    """What the compared rows predict, by row id, in order.

    Unless `quiet`, a line says which rows keep no predictions. For a row of repeated runs the best
    of those speaks that keep theirs.
    """
    found: dict[str, Tested] = {}
    absent = []
    for run_id in comparison.chosen:
        run = comparison.speaker(run_id, keeps_logits)
        if run is None:
            absent.append(run_id)
            continue
        read = read_or_warn(comparison.labels[run_id], predictions, comparison.store, run)
        if read:
            found[run_id] = Tested(run, read, images_of(run, read))
    if absent and not quiet:
        st.caption(
            f"Not shown: {comparison.names(absent)}, which kept no predictions for the test images."
        )
    return found


def same_data(found: Mapping[str, Tested], run_id: str) -> dict[str, Tested]:
    """Those that were tested on the same images as this one."""
    labels = found[run_id].given.labels
    return {k: each for k, each in found.items() if np.array_equal(each.given.labels, labels)}


def images_of(run: Run, given: Predictions) -> np.ndarray | None:
    """The test images of these predictions, if they are on this machine."""
    dataset, root = run.config.dataset, data_root()
    if missing_files(dataset, root):
        return None
    images, labels = read_part(dataset, root, test=True)
    return images if np.array_equal(labels, given.labels) else None


def which_runs(comparison: Comparison, found: Mapping[str, Tested]) -> str:
    """Which of repeated runs speak: "LeNet-5: seed 3 · Medium: seed 1"; "" for single runs."""
    several = [k for k in found if len(comparison.members(k)) > 1]
    return " · ".join(f"{comparison.labels[k]}: seed {found[k].run.config.seed}" for k in several)


def show_images(tested: Tested, places: np.ndarray, most: int = MOST) -> None:
    """The images with true and predicted class and confidence; each opens in the Playground."""
    shown, given, classes = places[:most], tested.given, tested.classes
    if not len(shown):
        return
    between = "\n" if tested.images is not None else ", "
    words = [
        reading(classes[given.labels[i]], classes[given.predicted[i]], given.confidence[i], between)
        for i in shown
    ]
    more = f" The first {most} of {len(places):,}." if len(places) > most else ""
    if tested.images is None:
        numbered(tested.run.config.dataset, shown.tolist(), words, more)
        return
    gallery(
        [np.asarray(tested.images[i]) for i in shown],
        words,
        [f"playground?play_run={tested.run.id}&play_test={i}" for i in shown],
        [bool(given.labels[i] != given.predicted[i]) for i in shown],
    )
    st.caption(
        "The true class, and what the network reads, with its confidence. "
        f"Click an image to open it in the Playground.{more}"
    )


def count_images(places: np.ndarray) -> str:
    return counted(len(places), "image")
