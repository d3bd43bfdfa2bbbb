"""Accuracy against how hard the images were made, with the digits themselves along the axis."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from mnist_core.charts.style import common_layout
from mnist_core.evaluation.robustness import Robustness
from mnist_core.evaluation.statistics import wilson
from mnist_core.imaging.corruptions import CORRUPTIONS, corrupt
from mnist_core.imaging.tiles import png


def robustness_points(networks: Mapping[str, Robustness]) -> pd.DataFrame:
    """A row for each network, corruption and level, with Wilson's 95 % interval."""
    rows = []
    for label, found in networks.items():
        for kind, curve in found.curves.items():
            for level, right in curve:
                interval = wilson(right, found.images)
                row = {"network": label, "corruption": kind, "level": level}
                row |= {"accuracy": right / found.images, "images": found.images}
                rows.append(row | {"low": interval.low, "high": interval.high})
    return pd.DataFrame(rows)


def robustness_curves(
    points: pd.DataFrame,
    kind: str,
    colours: Sequence[str],
    example: np.ndarray,
    height: int = 330,
) -> go.Figure:
    """The networks' accuracies at every level of one corruption, evenly spaced.

    `example`: (28, 28) uint8, drawn at every level above the curves.
    """
    each, figure = CORRUPTIONS[kind], go.Figure()
    places = list(range(len(each.levels)))
    mine = points[points["corruption"] == kind]
    for (label, rows), tint in zip(mine.groupby("network", sort=False), colours, strict=True):
        at = [each.levels.index(level) for level in rows["level"]]
        figure.add_scatter(
            x=at,
            y=rows["accuracy"].tolist(),
            error_y={
                "array": (rows["high"] - rows["accuracy"]).tolist(),
                "arrayminus": (rows["accuracy"] - rows["low"]).tolist(),
                "symmetric": False,
                "color": tint,
                "thickness": 1,
                "width": 2,
            },
            mode="lines+markers",
            line={"color": tint, "width": 2.2},
            marker={"size": 5},
            customdata=rows["level"].tolist(),
            hovertemplate=f"{label}<br>%{{customdata:g}} {each.unit}<br>%{{y:.2%}}<extra></extra>",
        )
    for place, level in zip(places, each.levels, strict=True):
        figure.add_layout_image(
            source=_data_url(corrupt(example[None], kind, level)[0]),
            **{"xref": "x", "yref": "paper", "x": place, "y": 1.02, "sizex": 0.9, "sizey": 0.2},
            **{"xanchor": "center", "yanchor": "bottom", "sizing": "contain"},
        )
    figure.update_xaxes(
        title=f"{each.title} ({each.unit})",
        tickvals=places,
        ticktext=[f"{level:g}" for level in each.levels],
        range=[-0.55, len(places) - 0.45],
        showgrid=False,
    )
    figure.update_yaxes(title="Test accuracy", tickformat=".0%", range=[0, 1.02])
    figure.update_layout(common_layout(height, showlegend=False))
    return figure.update_layout(margin={"l": 10, "r": 10, "t": 58, "b": 10})


def _data_url(image: np.ndarray) -> str:
    """Enlarged, since browsers smooth what Plotly shows larger than it is."""
    large = image.repeat(3, axis=0).repeat(3, axis=1)
    return "data:image/png;base64," + base64.b64encode(png(large)).decode()
