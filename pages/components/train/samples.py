"""Below the curves: images to learn from, images misread, and what can be taken away."""

from __future__ import annotations

import json

import numpy as np
import streamlit as st

from mnist_core.analysis.describe import command_of
from mnist_core.config import RunConfig
from mnist_core.data import idx
from mnist_core.dataset_specs import dataset_spec
from mnist_core.errors import NotFound
from mnist_core.evaluation.predictions import predictions
from mnist_core.files import to_csv
from mnist_core.formatting import percent
from mnist_core.paths import data_root
from mnist_core.runs.store import Run, RunStore
from pages.components.shared.gallery import gallery
from pages.components.train.controls import knob

SHOWN = 40  # images of a gallery
MOVED, DRAWS = 10, 3  # images whose augmentation is shown, and how often


def no_images(dataset: str) -> bool:
    """Says so, and how to get them, when the data set is not on this machine."""
    if idx.has_images(dataset, data_root()):
        return False
    st.info(
        f"{dataset}'s images are not on this machine. Training downloads them, and so does: "
        f"`python -m mnist_core datasets --download {dataset}`",
        icon=":material/image_not_supported:",
    )
    return True


def training_images(config: RunConfig) -> None:
    """A grid of training images with labels, and what augmentation does to them."""
    st.caption(
        f"{dataset_spec(config.dataset).about.capitalize()}: 28×28 pixels, grey. "
        "Training sees 50,000 of them in each epoch."
    )
    if no_images(config.dataset):
        return
    draw = st.session_state.setdefault("train_draw", 0)
    if st.button("Show others", icon=":material/shuffle:", key="train_others"):
        draw = st.session_state.train_draw = draw + 1
    pixels, labels = idx.training_images(config.dataset, data_root(), SHOWN, draw)
    classes = dataset_spec(config.dataset).classes
    gallery(list(pixels), [classes[label] for label in labels])
    augmentation(config, pixels[:MOVED], draw)


def augmentation(config: RunConfig, pixels: np.ndarray, draw: int) -> None:
    """Each epoch moves every image a little: two sliders, and some of what comes of it."""
    st.markdown("**Augmentation**: each epoch turns and shifts every image anew, at random.")
    for column, label, name, most in zip(
        st.columns(2),
        ("Rotation in degrees", "Shift in pixels"),
        ("rotation", "shift"),
        (30, 4),
        strict=True,
    ):
        values = sorted({*range(0, most + 1, 1 + most // 7), getattr(config, name)})
        knob(
            column.select_slider,
            label,
            name,
            key=f"augment_{name}",
            options=values,
            format_func=lambda value: f"±{value:g}",
        )
    if not config.rotation and not config.shift:
        st.caption("Both are 0: the network sees the images as they are.")
        return
    for number in range(DRAWS):
        moved = augmented(pixels, config.rotation, config.shift, DRAWS * draw + number)
        gallery(list(moved), [f"epoch {number + 1}"] * len(moved))


@st.cache_data(max_entries=100, show_spinner="Moving images as training does …")
def augmented(pixels: np.ndarray, rotation: float, shift: float, seed: int) -> np.ndarray:
    """(N, 28, 28) uint8 images as training would see them once."""
    import torch

    from mnist_core.data.augment import random_move

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        moved = random_move(torch.from_numpy(pixels)[:, None], rotation, shift)
    return moved[:, 0].round().byte().numpy()


def test_images(store: RunStore, run: Run | None) -> None:
    """The run's test images with what it read in them, the wrong ones first."""
    if run is None or not run.finished:
        st.caption("When the run is done, its test images are here, the misread ones first.")
        return
    try:
        read = predictions(store, run)
    except NotFound:
        st.caption(
            "This run ships as curves only. Train it here, and its test images are here, the "
            "misread ones first."
        )
        return
    wrong, right = read.wrong, read.right
    st.markdown(
        f"**{len(wrong):,}** of {len(read.labels):,} test images are misread "
        f"({percent(len(wrong) / len(read.labels))}); the most confident mistakes come first, then "
        "the images it was least sure of."
    )
    if no_images(run.config.dataset):
        return
    pages = max(1, -(-len(read.labels) // SHOWN))
    page = st.number_input("Page", 1, pages, 1, key="train_page", width=140)
    places = np.concatenate([wrong, right])[SHOWN * (page - 1) : SHOWN * page]
    classes = dataset_spec(run.config.dataset).classes
    gallery(
        list(idx.test_images(run.config.dataset, data_root(), places)),
        [caption(read, place, classes) for place in places],
        [f"/playground?play_run={run.id}&play_test={place}" for place in places],
        [bool(read.labels[place] != read.predicted[place]) for place in places],
    )
    st.caption("A click on an image takes it to the playground.")


def caption(read, place: int, classes: tuple[str, ...]) -> str:
    """ "7", or "7, read as 1"; with the network's confidence."""
    true, seen = classes[read.labels[place]], classes[read.predicted[place]]
    words = seen if seen == true else f"{true}, read as {seen}"
    return f"{words} ({read.confidence[place]:.0%})"


def take_away(config: RunConfig, run: Run | None) -> None:
    """The command that makes the run again, and its files."""
    st.caption("The command that trains this run, to the same bits on the same kind of machine:")
    st.code(command_of(config), language="bash", wrap_lines=True)
    with st.container(horizontal=True):
        download("Config", json.dumps(config.to_dict(), indent=1), f"{config.id}.json", True)
        history = bool(run and run.history)
        download("History", to_csv(run.history) if history else "", f"{config.id}.csv", history)
        weights = bool(run and run.has_weights)
        download("Weights", run.weights if weights else "", f"{config.id}.safetensors", weights)
    if run and run.finished and not run.has_weights:
        st.caption("No weights: this run ships as curves only. Train it here to have them.")


def download(label: str, data, name: str, there: bool) -> None:
    """A download that does not run the page again; greyed out when there is nothing yet."""
    st.download_button(
        label,
        data,
        name,
        key=f"take_{label.lower()}",
        icon=":material/download:",
        on_click="ignore",
        disabled=not there,
    )
