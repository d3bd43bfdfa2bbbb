"""Feature maps of every stage as pictures, and the first layer's kernels."""

import numpy as np
import streamlit as st

from mnist_core.evaluation.network import Network, one_thread
from mnist_core.formatting import number_range
from mnist_core.imaging import tiles
from mnist_core.inspection import feature_maps
from mnist_core.runs.run import Run
from pages.components.playground.networks import network
from pages.components.shared.common import show_errors
from pages.components.shared.gallery import show_tile

OWN, SHARED = "own", "shared"


@st.fragment
@show_errors
def layers(run: Run, image: np.ndarray) -> None:
    """One picture for each stage of the network, with what it is, its shape and its scale."""
    one = network(run)
    maps = maps_of(one, image)
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        scale = st.segmented_control(
            "Colour scale",
            [OWN, SHARED],
            default=OWN,
            format_func=lambda scale: "one per stage" if scale == OWN else "one for all",
            key="play_scale",
            required=True,
            persist_state="session",
            help="One per stage shows what is in each; one for all shows which are strong.",
        )
        st.caption("negative", width="content")
        st.image(tiles.colour_bar().png(), alt="From light blue through black to light orange")
        st.caption("positive", width="content")
    st.caption("Each stage's output by channel. Black is zero; brighter is further from zero.")
    limit = None
    if scale == SHARED:  # the image has its own grey
        limit = max(float(np.abs(maps[name]).max()) for name in maps if name != "input")
    for flat in (False, True):
        with st.grid("auto", min_column_width=260, gap="small"):
            for name, values in maps.items():
                if (values.ndim == 1) == flat:
                    show_stage(name, feature_maps.kind_of(one.model, name), values, limit)
    show_kernels(one)


def maps_of(one: Network, image: np.ndarray) -> dict[str, np.ndarray]:
    """The output of every stage for one (28, 28) image."""
    import torch

    from mnist_core.data.transforms import to_input

    one_thread()
    given = to_input(torch.tensor(image)[None], one.run.config)
    return feature_maps.feature_maps(one.model, given)


def show_stage(name: str, kind: str, values: np.ndarray, limit: float | None) -> None:
    grey = name == "input"
    picture = tiles.tile(values, 256, 256, grey=grey, limit=None if grey else limit)
    what = f"**{name}** · {kind}" if kind != name else f"**{name}**"
    shape = " × ".join(map(str, values.shape))
    caption = f"{what}  \n{shape} · {number_range(values.min(), values.max())}"
    show_tile(picture, caption, f"Output of stage {name}, {shape}")


def show_kernels(one: Network) -> None:
    """What the first convolution looks for."""
    found = feature_maps.first_kernels(one.model)
    if found is None:
        return
    name, kernels = found
    st.subheader("The first layer's kernels", anchor=False)
    count, height, width = kernels.shape
    values = number_range(kernels.min(), kernels.max())
    caption = f"**{name}** {count} kernels of {height}×{width} · {values}"
    show_tile(tiles.tile(kernels, 340, 200), caption, f"Kernels of {name}")
