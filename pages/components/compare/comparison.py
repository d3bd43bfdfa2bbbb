"""What the tabs of Compare share: the compared runs, their colours, and charts with their data."""

import functools
import html
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from mnist_core.charts.style import CSS_GREY, colour, css_colour, symbols
from mnist_core.errors import LabError
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore
from pages.components.compare.choice import clicked

T = TypeVar("T")


@dataclass(frozen=True)
class Comparison:
    """`rows` are the shown rows of the table, `chosen` the ids of those to compare, in order.

    `runs` maps every run's id to the run; a row stands for its best run, whose id it carries.
    """

    store: RunStore
    runs: dict[str, Run]
    rows: pd.DataFrame
    chosen: list[str]
    labels: dict[str, str]
    marked: str | None

    def colour(self, run_id: str) -> str:
        """The run's colour in a figure."""
        return colour(self.chosen.index(run_id))

    def css_colour(self, run_id: str) -> str:
        """The run's colour in HTML."""
        return css_colour(self.chosen.index(run_id))

    def row(self, run_id: str) -> pd.Series:
        return self.rows.loc[self.rows["id"] == run_id].iloc[0]

    @property
    def compared(self) -> list[Run]:
        """The best run of every chosen row."""
        return [self.runs[run_id] for run_id in self.chosen]


def legend(comparison: Comparison) -> None:
    """One legend for all charts: a colour for each chosen row, a sign for each data set."""
    entries = []
    for run_id in comparison.chosen:
        dataset = comparison.runs[run_id].config.dataset
        weight = ";font-weight:700" if run_id == comparison.marked else ""
        entries.append(
            f'<span style="white-space:nowrap{weight}">'
            f'<span style="color:{comparison.css_colour(run_id)}">{symbols(dataset)[1]}</span> '
            f"{html.escape(comparison.labels[run_id])}</span>"
        )
    others = ["● other runs"] if len(comparison.rows) > len(comparison.chosen) else []
    entries += [
        f'<span><span style="color:{CSS_GREY}">{words[0]}</span>{words[1:]}</span>'
        for words in (*others, "○ published")
    ]
    style = "display:flex;flex-wrap:wrap;gap:0.2rem 1.25rem;font-size:0.95rem"
    st.html(f'<div style="{style}">{"".join(entries)}</div>')


def chart(
    title: str,
    figure: go.Figure,
    data: pd.DataFrame,
    key: str,
    alt: str,
    *,
    clickable: bool = False,
) -> None:
    """A figure below its title, and a small button that hands out what it shows as CSV."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"##### {title}", width="content")
        export(data, key)
    plot(figure, key, alt, clickable=clickable)


def plot(figure: go.Figure, key: str, alt: str, *, clickable: bool = False) -> None:
    """The figure alone; a click on a run in a clickable one marks the run in all charts."""
    st.plotly_chart(
        figure,
        key=key,
        alt=alt,
        config={"displayModeBar": False},
        on_select=functools.partial(clicked, key) if clickable else "ignore",
        selection_mode="points",
    )


def export(data: pd.DataFrame, key: str) -> None:
    """The button; the file is made when it is pressed."""
    st.download_button(
        "CSV",
        lambda: data.to_csv(index=False).encode(),
        file_name=f"{key.removeprefix('cmp_').replace('_', '-')}.csv",
        mime="text/csv",
        key=f"{key}_csv",
        help="The data shown here, with full precision.",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
    )


def number_column(label: str, help: str, format: str = "localized", width: int | None = None):
    """A column of numbers of a table."""
    return st.column_config.NumberColumn(label, help=help, format=format, width=width)


def read_or_warn(label: str, read: Callable[..., T], *arguments: object) -> T | None:
    """What `read` returns; None, with a line on the page, when the run's file is damaged."""
    try:
        return read(*arguments)
    except LabError as error:
        st.warning(f"{label}: {error}", icon=":material/folder_off:")
        return None


def pick(comparison: Comparison, ids: list[str], key: str, help: str) -> Run:
    """One of these runs, chosen by its name; the marked one at first, else the first."""
    if len(ids) == 1:
        return comparison.runs[ids[0]]
    if st.session_state.get(key) not in ids:
        st.session_state.pop(key, None)
    run_id = st.pills(
        "Network",
        ids,
        format_func=lambda run_id: comparison.labels[run_id],
        default=comparison.marked if comparison.marked in ids else ids[0],
        required=True,
        wrap=True,
        key=key,
        help=help,
    )
    return comparison.runs[run_id]
