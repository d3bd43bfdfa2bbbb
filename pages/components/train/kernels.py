"""The kernels of a run's first convolution: what it looks for in an image."""

import numpy as np
import streamlit as st

from mnist_core.formatting import number_range
from mnist_core.imaging.tiles import tile
from mnist_core.models import network_title
from mnist_core.runs.run import Run
from pages.components.shared.gallery import gallery
from pages.components.shared.terms import see

SIDE = 72  # pixels of a picture


def first_kernels(run: Run | None) -> None:
    """A picture for each kernel, all on one scale of colours."""
    kernels = run.first_kernels() if run else None
    if run is None or kernels is None:
        st.caption("The kernels appear here when the run has weights: train it.")
        return
    count, side = kernels.shape[:2]
    largest = float(np.abs(kernels).max()) or 1.0
    st.caption(
        f"{network_title(run.config)} begins with {count} kernels of {side}×{side} "
        "weights, which slide over the image. Warm colours are positive weights: ink there raises "
        "the output. Cold colours are negative: ink there lowers it. Dark is zero. "
        f"All weights are in the range {number_range(-largest, largest)}.{see('kernel')}"
    )
    pictures = [tile(kernel, SIDE, SIDE, limit=largest).pixels for kernel in kernels]
    gallery(pictures, [f"kernel {number}" for number in range(1, count + 1)])
