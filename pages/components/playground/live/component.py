"""The Live canvas as a component: what the browser gets, and what it may send back."""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from mnist_core.data.transforms import scale_and_offset
from mnist_core.dataset_specs import dataset_spec
from mnist_core.imaging import tiles
from mnist_core.inspection.columns import Column
from mnist_core.runs.run import Run
from pages.components.playground import markup
from pages.components.playground.canvas import backdrop, example
from pages.components.playground.networks import network
from pages.components.playground.strip import columns_of
from pages.components.shared.cache import cached, weights_of

HERE = Path(__file__).parent
# Each after those that it imports from.
MODULES = (
    *("elements", "noise", "resample", "prepare", "layers", "network"),
    *("pen", "bars", "maps", "live"),
)


@cache
def script() -> str:
    """The modules as one, which is what a component is made of."""
    joined = "\n".join((HERE / f"{name}.js").read_text("utf-8") for name in MODULES)
    lines = (line for line in joined.splitlines() if not line.startswith("import "))
    return "\n".join(line.removeprefix("export ") if _named(line) else line for line in lines)


def _named(line: str) -> bool:
    return line.startswith("export ") and not line.startswith("export default")


component = st.components.v2.component(
    "lab_live_canvas",
    html=(HERE / "live.html").read_text("utf-8"),
    css=(HERE / "live.css").read_text("utf-8"),
    js=script(),
)


@cached(weights_of)
def network_data(run: Run) -> dict[str, Any]:
    """All that the browser needs to compute the run's network, once for each network.

    Raises InputError for a network that it cannot compute.
    """
    from mnist_core.inspection.chain_data import chain_data

    config, spec = run.config, dataset_spec(run.config.dataset)
    chain = chain_data(network(run).model, config.input_size)
    scale, offset = scale_and_offset(spec, config.scaling)
    layers = {layer["name"]: at for at, layer in enumerate(chain.layers)}
    return {
        "id": run.id,
        "classes": spec.classes,
        "input": {"size": config.input_size, "fit": config.fit, "scale": scale, "offset": offset},
        "layers": chain.layers,
        "numbers": coded(chain.numbers),
        "columns": [_column(each, layers, chain.layers, spec.classes) for each in columns_of(run)],
        "palette": coded(tiles.scale_colours(False)),
        "grey": coded(tiles.scale_colours(True)),
    }


def _column(
    column: Column, places: dict[str, int], layers: Any, classes: tuple[str, ...]
) -> dict[str, Any]:
    """`layer`: whose values are shown, and silenced; `noise`: whose weights get noise."""
    height, width = column.shape[1:] if len(column.shape) == 3 else (1, 1)
    first = places.get(column.name)
    named = column.flat and column.shape[0] == len(classes)
    return {
        "name": "image" if column.source is None else column.name,
        "image": column.source is None,
        "kind": column.kind,
        "channels": column.shape[0],
        "height": height,
        "width": width,
        "flat": column.flat,
        "names": classes if named else None,
        "layer": places.get(column.shown),
        "noise": first if first is not None and "spread" in layers[first] else None,
    }


def sent(run: Run, known: bool) -> dict[str, Any]:
    """The network as it is sent: only its id where the browser has it already."""
    found = network_data(run)
    return {"id": found["id"]} if known else found


def example_data(dataset: str, untouched: bool) -> dict[str, str | None]:
    """The lab's example, to be read until something is drawn, and faintly behind the ink."""
    if not untouched:
        return {"backdrop": None, "faint": None}
    ink = example(dataset)[..., 3]
    picture = np.stack([np.full_like(ink, 255), ink], axis=-1)
    faint = markup.image_source(backdrop(dataset))
    return {"backdrop": markup.image_source(tiles.png(picture)), "faint": faint}


def coded(values: np.ndarray) -> str:
    """The bytes of an array."""
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()
