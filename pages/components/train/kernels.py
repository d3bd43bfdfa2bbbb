"""The kernels of a run's first convolution: what it looks for in an image."""

import streamlit as st

from mnist_core.formatting import number_range
from mnist_core.imaging.tiles import tile
from mnist_core.models import model_title
from mnist_core.runs.run import Run

WIDTH = 640  # pixels


def first_kernels(run: Run | None) -> None:
    kernels = run.first_kernels() if run else None
    if run is None or kernels is None:
        st.caption("The kernels appear here when the run has weights: train it.")
        return
    count, side = kernels.shape[:2]
    st.caption(
        f"{model_title(run.config.model)} begins with {count} kernels of {side}×{side} weights, "
        "which slide over the image. Warm colours are positive weights: ink there speaks for the "
        "pattern. Cold colours are negative, dark is zero."
    )
    picture = tile(kernels, width=WIDTH)
    st.image(
        picture.png(),
        caption=f"Weights from {number_range(picture.low, picture.high)}",
        width=picture.indices.shape[1],  # each of its pixels is one of the page's
        alt="The first layer's kernels",
    )
