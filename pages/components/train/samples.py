"""Below the curves: training images, test images, and the run's files."""

import json
from collections.abc import Callable

import numpy as np
import streamlit as st

from mnist_core.analysis.describe import command_of
from mnist_core.config import RunConfig
from mnist_core.data import idx
from mnist_core.dataset_specs import dataset_spec
from mnist_core.errors import NotFound
from mnist_core.evaluation.predictions import Predictions, predictions
from mnist_core.files import to_csv
from mnist_core.formatting import percent
from mnist_core.paths import data_root
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore
from pages.components.shared import common
from pages.components.shared.gallery import gallery
from pages.components.train.controls import control

SHOWN = 40  # images of a gallery
MOVED, DRAWS = 10, 3  # images whose augmentation is shown, and how often


def training_images(config: RunConfig) -> None:
    """Some training images with their labels, and what augmentation does to them."""
    sizes = idx.part_sizes(config.dataset)
    st.caption(
        f"{dataset_spec(config.dataset).about.capitalize()}: 28×28 pixels, grey. "
        f"Each epoch trains on {sizes.train:,} of them; {sizes.validation:,} are held out for "
        "validation."
    )
    if not common.images_here(config.dataset):
        return
    draw = st.session_state.setdefault("train_draw", 0)
    if st.button("Show others", icon=":material/shuffle:", key="train_others"):
        draw = st.session_state.train_draw = draw + 1
    pixels, labels = idx.training_images(config.dataset, data_root(), SHOWN, draw)
    classes = dataset_spec(config.dataset).classes
    gallery(list(pixels), [classes[label] for label in labels])
    augmentation(config, pixels[:MOVED], draw)


def augmentation(config: RunConfig, pixels: np.ndarray, draw: int) -> None:
    """Two sliders for random rotation and shift, and examples of the result."""
    st.markdown("**Augmentation**: in every epoch, each image is rotated and shifted at random.")
    sliders = (("Rotation in degrees", "rotation", 30), ("Shift in pixels", "shift", 4))
    for column, (label, name, most) in zip(st.columns(2), sliders, strict=True):
        values = sorted({*range(0, most + 1, 1 + most // 7), getattr(config, name)})
        options = {"options": values, "format_func": lambda value: f"±{value:g}"}
        control(column.select_slider, label, name, config, key=f"augment_{name}", **options)
    if not config.rotation and not config.shift:
        st.caption("Both are 0: the images stay as they are.")
        return
    for number in range(DRAWS):
        moved = augmented(pixels, config.rotation, config.shift, DRAWS * draw + number)
        gallery(list(moved), [f"epoch {number + 1}"] * len(moved))


@st.cache_data(max_entries=100, show_spinner="Moving images as training does …")
def augmented(pixels: np.ndarray, rotation: float, shift: float, seed: int) -> np.ndarray:
    """(N, 28, 28) uint8 images as training might see them in one epoch."""
    import torch

    from mnist_core.data.augment import random_move

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        moved = random_move(torch.from_numpy(pixels)[:, None], rotation, shift)
    return moved[:, 0].round().byte().numpy()


def test_images(store: RunStore, run: Run | None) -> None:
    """The test images with the run's answers, its mistakes first."""
    if run is None or not run.finished:
        st.caption("The test images appear here when the run is done, its mistakes first.")
        return
    try:
        read = predictions(store, run)
    except NotFound:
        st.caption(
            "This run ships as curves only. Train a copy of it, and the test images appear here, "
            "its mistakes first."
        )
        return
    wrong, right = read.wrong, read.right
    st.markdown(
        f"**{len(wrong):,}** of {len(read.labels):,} test images are classified wrongly "
        f"({percent(len(wrong) / len(read.labels))}). The most confident mistakes come first, then "
        "the correct answers with the lowest confidence."
    )
    if not common.images_here(run.config.dataset):
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
    st.caption("Click an image to open it in the Playground.")


def caption(read: Predictions, place: int, classes: tuple[str, ...]) -> str:
    """ "7", or "7, read as 1"; with the network's confidence."""
    true, seen = classes[read.labels[place]], classes[read.predicted[place]]
    words = seen if seen == true else f"{true}, read as {seen}"
    return f"{words} ({read.confidence[place]:.0%})"


def files_and_command(config: RunConfig, run: Run | None) -> None:
    """The command that trains the same run, and the run's files."""
    st.caption(
        "This command trains the same run. On the same kind of machine the weights are identical:"
    )
    st.code(command_of(config), language="bash", wrap_lines=True)
    with st.container(horizontal=True):
        download("Config", json.dumps(config.to_dict(), indent=1), f"{config.id}.json")
        history = to_csv(run.history) if run and run.history else None
        download("History", history, f"{config.id}.csv")
        weights = run.weights if run and run.has_weights else None
        download("Weights", weights, f"{config.id}.safetensors")
    if run and run.finished and not run.has_weights:
        st.caption("No weights: this run ships as curves only. Train a copy of it to get them.")


def download(label: str, data: str | bytes | Callable[[], bytes] | None, name: str) -> None:
    """A download that does not run the page again; greyed out when there is no data yet."""
    st.download_button(
        label,
        data or "",
        name,
        key=f"download_{label.lower()}",
        icon=":material/download:",
        on_click="ignore",
        disabled=data is None,
    )
