"""Pictures and bars of the live parts."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import streamlit as st

from mnist_core.charts.style import css_colour
from mnist_core.dataset_specs import dataset_spec
from mnist_core.evaluation.network import Network, load_network, one_thread
from mnist_core.formatting import percent
from mnist_core.imaging.letter_strokes import LETTERS
from mnist_core.imaging.novel_images import SIDE, drawn, normalised
from mnist_core.imaging.sample_drawings import drawn_digits
from mnist_core.imaging.tiles import enlarged
from mnist_core.runs.run import Run
from pages.components.shared.cache import cached, weights_of
from pages.components.shared.gallery import gallery
from pages.components.shared.watch import image_for

YOURS, LETTER, TWO, NOISE = SHOWN = ("Your digit", "The letter A", "Two digits", "Noise")
PEN = 7.0  # pixels, of a letter
STYLE = """<style>.learn-bars{display:grid;grid-template-columns:minmax(1.2em,max-content) 1fr;
gap:4px 12px;font-size:14px;line-height:20px}.learn-bars b{font-weight:inherit}
.learn-bars span{display:flex;align-items:center;gap:8px;min-width:0}
.learn-bars i{height:14px;border-radius:3px;min-width:1px;display:block;flex:none}
.learn-bars em{font-style:normal;font-variant-numeric:tabular-nums}
@media (max-width:640px){.learn-bars.long{grid-template-columns:1fr}}</style>"""


def picture(image: np.ndarray, caption: str) -> None:
    gallery([image], [caption])


def bars(names: Sequence[str], shares: Sequence[float], words: Sequence[str]) -> None:
    """Horizontal bars from 0 to 1, each with words behind it."""
    long, rows = max(map(len, names)) > 3, []
    room = 190 if long else 62  # pixels of the words
    for place, (name, share, told) in enumerate(zip(names, shares, words, strict=True)):
        own = place if long else 0 if share == max(shares) else 7
        rows.append(
            f"<b>{escape(name)}</b><span><i style='background:{css_colour(own)};"
            f"width:calc({share:.4f} * (100% - {room}px))'></i><em>{escape(told)}</em></span>"
        )
    kind = "learn-bars long" if long else "learn-bars"
    st.html(f"{STYLE}<div class='{kind}'>{''.join(rows)}</div>")


def answer_for(run: Run, image: np.ndarray) -> None:
    """An image beside the probabilities of the run's network."""
    shares = network(run).probabilities(image[None])[0]
    classes = dataset_spec(run.config.dataset).classes
    left, right = st.columns([1, 3])
    best = int(shares.argmax())
    with left:
        picture(enlarged(image, 4), f"Reads {classes[best]},\n{percent(shares[best], 1)} sure")
    with right:
        bars(classes, shares.tolist(), [percent(share, 1) for share in shares.tolist()])


@cached(weights_of, spinner="Loading the network …")
def network(run: Run) -> Network:
    one_thread()
    return load_network(run)


def shown_image(what: str, dataset: str) -> np.ndarray:
    """(28, 28) uint8: one of SHOWN."""
    if what == LETTER:
        return normalised(drawn([stroke * SIDE for stroke in LETTERS["A"]], PEN))
    if what == NOISE:
        return np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    if what == TWO:
        return two_digits()
    return image_for(dataset)


def two_digits() -> np.ndarray:
    """(28, 28) uint8: a 3 and a 7 beside each other, each half as large."""
    small = [digit.reshape(14, 2, 14, 2).mean(axis=(1, 3)) for digit in drawn_digits()[[3, 7]]]
    image = np.zeros((28, 28))
    image[7:21, :14], image[7:21, 14:] = small
    return (image * (255 / image.max())).astype(np.uint8)
