"""The test images that a run gets wrong, with its answer and how sure it was."""

from collections import Counter

import numpy as np
import streamlit as st

from mnist_core.analysis.describe import describe, title_of
from mnist_core.data import idx
from mnist_core.dataset_specs import dataset_spec
from mnist_core.evaluation.ensemble import best_of_each
from mnist_core.evaluation.predictions import mistakes
from mnist_core.formatting import percent
from mnist_core.models import network_of
from mnist_core.paths import data_root
from mnist_core.runs.run import Mistakes, Run
from mnist_core.runs.store import RunStore
from pages.components.shared.common import unbroken
from pages.components.shared.gallery import gallery, numbered, reading

SHOWN = 40  # images of a page
PAIRS = 6  # of the classes that are confused most


def its_mistakes(store: RunStore, run: Run | None, runs: list[Run]) -> None:
    """The most confident mistakes first; a click opens one in the Playground."""
    found = mistakes(store, run) if run and run.finished else None
    if run is None or found is None:
        kept = bool(run and run.finished)
        later = "The test images that the run gets wrong appear here when it is done."
        st.caption("This run kept no predictions for the test images." if kept else later)
        return
    true = store.labels(run)["test"]
    classes = dataset_spec(run.config.dataset).classes
    words = (
        f"**{len(found.index):,}** of {len(true):,} test images are classified wrongly "
        f"({percent(len(found.index) / len(true))}), the most confident answers first. "
        f"{confused(found, true, classes)}"
    )
    st.markdown(unbroken(words))
    if len(found.index):
        images(run, found, true, drawn_for(run, runs))


def drawn_for(run: Run, runs: list[Run]) -> Run | None:
    """The run that the Playground shows an image to: this one or, without weights, its best kin.

    A run that was fine-tuned on somebody's drawings stands for no other.
    """
    if run.has_weights:
        return run
    of_kind = best_of_each(runs, run.config.dataset)
    return next((r for r in of_kind if network_of(r.config) == network_of(run.config)), None)


def images(run: Run, found: Mistakes, true: np.ndarray, reader: Run | None) -> None:
    """One page of the images. `reader`: whom the Playground shows them to."""
    order = np.argsort(-found.confidence, kind="stable")
    pages = -(-len(order) // SHOWN)
    page = 1
    if pages > 1:
        page = st.number_input(
            f"Page, 1 to {pages}",
            1,
            pages,
            1,
            key="train_page",
            width=140,
            help=f"{SHOWN} images a page; the network is less sure from page to page.",
        )
    shown = order[SHOWN * (page - 1) : SHOWN * page]
    places, classes = found.index[shown], dataset_spec(run.config.dataset).classes
    seen = zip(places, found.answer[shown], found.confidence[shown], strict=True)
    here = not idx.missing_files(run.config.dataset, data_root())
    between = "\n" if here else ", "
    words = [reading(classes[true[i]], classes[label], sure, between) for i, label, sure in seen]
    if not here:
        numbered(run.config.dataset, places.tolist(), words)
        return
    gallery(
        list(idx.test_images(run.config.dataset, data_root(), places)),
        words,
        [f"playground?play_run={reader.id}&play_test={i}" for i in places] if reader else [],
    )
    if reader:
        title = f"{title_of(reader)} ({describe(reader.config)})"
        whom = "" if reader is run else f", read by {title}"
        st.caption(f"Click an image to open it in the Playground{whom}.")


def confused(found: Mistakes, true: np.ndarray, classes: tuple[str, ...]) -> str:
    """The pairs of classes that are mixed up most, in words."""
    pairs = Counter(zip(true[found.index].tolist(), found.answer.tolist(), strict=True))
    words = [
        f"{classes[label]} as {classes[answer]} ({times}×)"
        for (label, answer), times in pairs.most_common(PAIRS)
        if times > 1
    ]
    return f"Most often: {', '.join(words)}." if words else ""
