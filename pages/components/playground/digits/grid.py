"""The grid of drawings as a component: what the browser gets, and what it may ask for."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from pages.components.playground.digits.reading import Drawn
from pages.components.shared.cache import cached

HERE = Path(__file__)
KEY = "play_digits"
MOST_SHOWN = 500  # the newest

_component = st.components.v2.component(
    "lab_drawings",
    html=HERE.with_suffix(".html").read_text("utf-8"),
    css=HERE.with_suffix(".css").read_text("utf-8"),
    js=HERE.with_suffix(".js").read_text("utf-8"),
)


def grid(
    shown: Drawn,
    answers: np.ndarray,
    titles: Sequence[str],
    classes: Sequence[str],
    mine: Sequence[str],
    remove: Callable[[str], None],
    large: bool = False,
) -> None:
    """All drawings, the newest first. `answers`: (networks, N) labels of the networks `titles`;
    `mine`: the files that this visitor may `remove`."""
    data = {
        "drawings": _rows(shown, answers, tuple(titles)),
        "networks": list(titles),
        "classes": list(classes),
        "mine": list(mine),
        "large": large,
        "more": max(0, len(shown.samples) - MOST_SHOWN),
    }
    _component(data=data, key=KEY, on_remove_change=lambda: _asked(shown, remove))


def _state(shown: Drawn, answers: np.ndarray, titles: tuple[str, ...]) -> Hashable:
    return shown.folder, shown.version, titles, answers.tobytes()


@cached(_state, most=8)
def _rows(shown: Drawn, answers: np.ndarray, titles: tuple[str, ...]) -> list[list[Any]]:
    rows = [
        [sample.file, sample.label, sample.author, sample.saved, picture, said]
        for sample, picture, said in zip(
            shown.samples, shown.pictures, answers.T.tolist(), strict=True
        )
    ]
    return rows[::-1][:MOST_SHOWN]


def _asked(shown: Drawn, remove: Callable[[str], None]) -> None:
    """Removes what the browser names, if it is a drawing of this set."""
    asked = getattr(st.session_state[KEY], "remove", None)
    for sample in shown.samples:
        if asked == sample.file:
            remove(sample.file)
