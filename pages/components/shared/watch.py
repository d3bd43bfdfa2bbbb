"""Watch it learn: a run's snapshots from the untrained network to the last epoch.

The browser goes through them (watch.js); every number comes from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from mnist_core.data.idx import test_image
from mnist_core.dataset_specs import dataset_spec
from mnist_core.evaluation.network import one_thread
from mnist_core.formatting import plain
from mnist_core.imaging import sample_drawings, tiles
from mnist_core.paths import data_root
from mnist_core.runs.run import Run
from pages.components.shared.gallery import gallery
from pages.components.shared.timeline import coded, map_of, side, title_of

HERE = Path(__file__)
IMAGE = "watch_image"  # in the session: the visitor's latest input, by the data set

_component = st.components.v2.component(
    "lab_watch",
    html=HERE.with_suffix(".html").read_text("utf-8"),
    css=HERE.with_suffix(".css").read_text("utf-8"),
    js=HERE.with_suffix(".js").read_text("utf-8"),
)


def remember_image(dataset: str, image: np.ndarray) -> None:
    """Other pages show this (28, 28) uint8 image, too."""
    st.session_state[IMAGE] = st.session_state.get(IMAGE, {}) | {dataset: image}


def image_for(dataset: str) -> np.ndarray:
    """The visitor's latest input, or the data set's example: (28, 28) uint8."""
    found = st.session_state.get(IMAGE, {}).get(dataset)
    return sample_drawings.example_image(dataset) if found is None else found


def watch(runs: Sequence[Run], image: np.ndarray, key: str, *, from_start: bool = False) -> None:
    """One run with snapshots, or two side by side, all of one data set. Raises LabError."""
    one_thread()
    data = {
        "palette": coded(tiles.scale_colours(False)),
        "grey": coded(tiles.scale_colours(True)),
        "classes": list(dataset_spec(runs[0].config.dataset).classes),
        "sides": [side(run, image) for run in runs],
        "from_start": from_start,
    }
    result = _component(data=data, key=key, on_point_change=lambda: None)
    _opened(runs, result.point)


def _opened(runs: Sequence[Run], point: Any) -> None:
    """The test image that was clicked, with what the network answered at that time."""
    run = next((r for r in runs if isinstance(point, dict) and r.id == point.get("run")), None)
    found = map_of(run) if run else None
    if run is None or found is None:
        return
    place, at = point.get("place"), point.get("at")
    whole = isinstance(place, int) and isinstance(at, int)
    if not whole or not (0 <= place < len(found.index) and 0 <= at < len(found.steps)):
        return
    number = int(found.index[place])
    shown = test_image(run.config.dataset, data_root(), number)
    classes = dataset_spec(run.config.dataset).classes
    answers = [classes[answer] for answer in found.answers[:, place]]
    gallery([shown.image], [f"№ {number}"])
    since = next(i for i in range(len(answers)) if len({*answers[i:]}) == 1)
    told = f"It is a {classes[shown.label]}; {title_of(run)} read {answers[at]} at that time"
    if answers[-1] == classes[shown.label]:
        told += f", and has been right since step {found.steps[since]:,}."
    else:
        told += f", and reads {answers[-1]} at the end."
    st.caption(plain(told))
