"""What the tabs of Compare share: the compared rows, how each is drawn, and who speaks for it."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from mnist_core.analysis.headline import RepeatedRuns, Row
from mnist_core.charts.style import LIGHT, colour, css_colour, marker
from mnist_core.errors import LabError
from mnist_core.formatting import plain
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore
from pages.components.compare import files

T = TypeVar("T")


@dataclass(frozen=True)
class Comparison:
    """`rows` are those that are shown, the best first; `chosen` the ids of those to compare.

    `runs` maps every run's id to the run; a row stands for one run or for several that differ only
    in their seed, and carries the best one's id. `labels` names the chosen rows, and `slots`
    numbers them: the number of a row's colour, symbol and line.
    """

    store: RunStore
    runs: dict[str, Run]
    rows: pd.DataFrame
    chosen: list[str]
    labels: dict[str, str]
    slots: dict[str, int] = field(default_factory=dict)
    repeated: RepeatedRuns | None = None

    def badge(self, run_id: str) -> str:
        """The row's symbol in its colour and its name, as Markdown: the key of all charts.

        Needs KEY_COLOURS on the page.
        """
        symbol = marker(self.slots[run_id])[1]
        name = plain(self.labels[run_id])
        return f':color[{symbol}]{{foreground="{colour(self.slots[run_id])}"}} {name}'

    @functools.cached_property
    def _rows(self) -> dict[str, Row]:
        return {row["id"]: row for row in self.rows.to_dict("records")}

    def row(self, run_id: str) -> Row:
        """The row of analysis.aggregate with this id."""
        return self._rows[run_id]

    def members(self, run_id: str) -> list[Run]:
        """All runs of a chosen row, the best first."""
        return [self.runs[member] for member in self.row(run_id)["members"]]

    def speaker(self, run_id: str, able: Callable[[Run], bool]) -> Run | None:
        """The best run of a chosen row that is `able`; the others differ only in their seed."""
        return next((run for run in self.members(run_id) if able(run)), None)

    def with_weights(self, run_id: str) -> Run:
        """The best run of a chosen row that has weights; the best of all where none has."""
        return self.speaker(run_id, lambda run: run.has_weights) or self.runs[run_id]

    def names(self, ids: list[str]) -> str:
        return ", ".join(self.labels[run_id] for run_id in ids)

    @property
    def compared(self) -> list[Run]:
        """The best run of every chosen row."""
        return [self.runs[run_id] for run_id in self.chosen]


# Markdown takes no colour that depends on the theme: those of figures stand for them.
KEY_COLOURS = "".join(
    f'span[style*="rgb(0, 0, {number + 1})"]{{color:{css_colour(number)} !important}}'
    for number in range(len(LIGHT))
)


def chart(title: str, figure: go.Figure, data: pd.DataFrame, key: str, alt: str) -> None:
    """A figure below its title; `data` is what it shows, for the menu of files."""
    st.subheader(title, anchor=False)
    files.offer(key, data)
    plot(figure, key, alt)


def plot(figure: go.Figure, key: str, alt: str) -> None:
    """The figure alone, without Plotly's toolbar."""
    st.plotly_chart(figure, key=key, alt=alt, config={"displayModeBar": False})


def number_column(label: str, help: str, format: str = "localized", width: int | None = None):
    """A column of numbers of a table."""
    return st.column_config.NumberColumn(label, help=help, format=format, width=width)


def read_or_warn(label: str, read: Callable[..., T], *arguments: object) -> T | None:
    """What `read` returns; None, with a line on the page, when the run's file is damaged."""
    try:
        return read(*arguments)
    except LabError as error:
        st.warning(plain(f"{label}: {error}"), icon=":material/folder_off:")
        return None


def pick(
    comparison: Comparison, ids: list[str], key: str, help: str, label: str = "Network"
) -> str:
    """One of these rows, chosen by its name and kept in the address bar; the first one at first."""
    if len(ids) == 1:
        return ids[0]
    if st.session_state.get(key) not in ids:
        st.session_state.pop(key, None)
    return st.pills(
        label,
        ids,
        format_func=lambda run_id: comparison.labels[run_id],
        default=ids[0],
        required=True,
        wrap=True,
        key=key,
        bind="query-params",
        help=help,
    )
