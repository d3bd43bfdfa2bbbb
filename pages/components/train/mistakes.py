"""The test images that a run gets wrong, with its answer and how sure it was."""

from collections import Counter

import numpy as np
import streamlit as st

from mnist_core.data import idx
from mnist_core.dataset_specs import dataset_spec
from mnist_core.evaluation.predictions import mistakes
from mnist_core.formatting import percent
from mnist_core.paths import data_root
from mnist_core.runs.run import Mistakes, Run
from mnist_core.runs.store import RunStore
from pages.components.shared import common
from pages.components.shared.gallery import gallery

SHOWN = 40  # images of a page
PAIRS = 6  # of the classes that are confused most


def its_mistakes(store: RunStore, run: Run | None) -> None:
    """The most confident mistakes first; a click opens one in the Playground."""
    found = mistakes(store, run) if run and run.finished else None
    if run is None or found is None:
        st.caption("The test images that the run gets wrong appear here when it is done.")
        return
    true, images = store.labels(run)["test"], store.labels(run)["test"].size
    classes = dataset_spec(run.config.dataset).classes
    st.markdown(
        f"**{len(found.index):,}** of {images:,} test images are classified wrongly "
        f"({percent(len(found.index) / images)}), the most confident answers first. "
        f"{confused(found, true, classes)}"
    )
    if not len(found.index) or not common.images_here(run.config.dataset):
        return
    order = np.argsort(-found.confidence, kind="stable")
    pages = max(1, -(-len(order) // SHOWN))
    page = st.number_input("Page", 1, pages, 1, key="train_page", width=140) if pages > 1 else 1
    shown = order[SHOWN * (page - 1) : SHOWN * page]
    places = found.index[shown]
    gallery(
        list(idx.test_images(run.config.dataset, data_root(), places)),
        [
            f"{classes[true[place]]}, read as {classes[answer]} ({sure:.0%})"
            for place, answer, sure in zip(
                places, found.answer[shown], found.confidence[shown], strict=True
            )
        ],
        [link(run, place) for place in places] if run.has_weights else [],
    )
    if run.has_weights:
        st.caption("Click an image to open it in the Playground.")


def link(run: Run, place: int) -> str:
    return f"/playground?play_run={run.id}&play_test={place}"


def confused(found: Mistakes, true: np.ndarray, classes: tuple[str, ...]) -> str:
    """The pairs of classes that are mixed up most, in words."""
    pairs = Counter(zip(true[found.index].tolist(), found.answer.tolist(), strict=True))
    words = [
        f"{classes[label]} as {classes[answer]} ({times}×)"
        for (label, answer), times in pairs.most_common(PAIRS)
        if times > 1
    ]
    return f"Most often: {', '.join(words)}." if words else ""
