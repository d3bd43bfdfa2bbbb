"""Training images, and what augmentation does to them."""

import numpy as np
import streamlit as st

from mnist_core.config import RunConfig
from mnist_core.data import idx
from mnist_core.data.augment import AUGMENTATIONS, augment, changes_images
from mnist_core.dataset_specs import dataset_spec, dataset_title
from mnist_core.formatting import plain
from mnist_core.imaging.sample_drawings import drawn_examples
from mnist_core.paths import data_root
from pages.components.shared import common
from pages.components.shared.cache import cached
from pages.components.shared.gallery import gallery
from pages.components.train.controls import control

SHOWN = 40  # images of a gallery
OTHERS = "Draws other images from the training set."
MOVED, DRAWS = 10, 3  # images whose augmentation is shown, and how often


def training_images(config: RunConfig) -> None:
    """Some training images with their labels, and what augmentation does to them."""
    sizes = idx.part_sizes(config.dataset)
    st.caption(
        f"{plain(dataset_spec(config.dataset).about.capitalize())}: 28×28 pixels, grey. "
        f"Each epoch trains on {sizes.train:,} of them; {sizes.validation:,} are held out for "
        "validation."
    )
    if idx.missing_files(config.dataset, data_root()):
        until_they_are_here(config)
        return
    draw = st.session_state.setdefault("train_draw", 0)
    if st.button("Show others", icon=":material/shuffle:", key="train_others", help=OTHERS):
        draw = st.session_state.train_draw = draw + 1
    pixels, labels = idx.training_images(config.dataset, data_root(), SHOWN, draw)
    classes = dataset_spec(config.dataset).classes
    gallery(list(pixels), [classes[label] for label in labels])
    augmentation(config, pixels[:MOVED], draw)


def until_they_are_here(config: RunConfig) -> None:
    """In place of training images: what the lab can draw of their kind."""
    if not dataset_spec(config.dataset).downloadable:
        common.images_here(config.dataset)  # says how to get them
        return
    pixels, names = drawn_examples(config.dataset)
    title = dataset_title(config.dataset)
    st.markdown(
        f"The first training on {title} downloads them. Until then, here is what the lab draws:",
        help=idx.how_to_get(config.dataset, data_root()),
    )
    gallery(list(pixels), names)
    augmentation(config, pixels, 0)


def augmentation(config: RunConfig, pixels: np.ndarray, draw: int) -> None:
    """Two sliders for random rotation and shift, and examples of all that changes images."""
    st.markdown("**Augmentation**: in every epoch, each image is changed at random.")
    sliders = (("Rotation in degrees", "rotation", 30), ("Shift in pixels", "shift", 4))
    for column, (label, name, most) in zip(st.columns(2), sliders, strict=True):
        values = sorted({*range(0, most + 1, 1 + most // 7), getattr(config, name)})
        options = {"options": values, "format_func": lambda value: f"±{value:g}"}
        control(column.select_slider, label, name, config, key=f"augment_{name}", **options)
    if not changes_images(config):
        st.caption("Both are 0: the images stay as they are.")
        return
    for number in range(DRAWS):
        changed = augmented(pixels, config, DRAWS * draw + number)
        gallery(list(changed), [f"epoch {number + 1}"] * len(changed))
    st.caption(
        "More settings has zoom, slant, elastic distortion, mirroring and cutout: a change to the "
        "images should leave them what they are. A mirrored 2 is no 2, a mirrored shoe is a shoe."
    )


@cached(
    lambda pixels, config, seed: (pixels.tobytes(), *changes(config), seed),
    most=100,
    spinner="Changing images as training does …",
)
def augmented(pixels: np.ndarray, config: RunConfig, seed: int) -> np.ndarray:
    """(N, 28, 28) uint8 images as training might see them in one epoch."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        changed = augment(torch.from_numpy(pixels)[:, None], config)
    return changed[:, 0].round().byte().numpy()


def changes(config: RunConfig) -> tuple[float, ...]:
    """All that `augmented` depends on."""
    return tuple(getattr(config, name) for name in AUGMENTATIONS)
