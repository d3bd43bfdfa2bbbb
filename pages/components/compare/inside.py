"""Compare: inside the networks: their cost, what a unit sees, and their layers."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from mnist_core.imaging.field_overlay import overlay_field
from mnist_core.imaging.sample_drawings import example_image
from mnist_core.inspection.architecture import box_of, dot, growing_fields, in_words, times
from mnist_core.jobs import spawn
from mnist_core.models import network_of
from mnist_core.models.stats import stats_for
from mnist_core.paths import data_root
from mnist_core.runs.run import Run
from pages.components.compare import files
from pages.components.compare.comparison import Comparison, number_column, pick
from pages.components.shared.cache import cached, same, weights_of_all
from pages.components.shared.gallery import gallery
from pages.components.shared.terms import see

AT_ONCE = 4  # large pictures beside each other


def inside_tab(comparison: Comparison) -> None:
    """A table of the networks, receptive fields as pictures, then one network layer by layer."""
    networks_table(comparison)
    configs = [run.config for run in comparison.compared]
    own = {network_of(c): (c.layers, c.input_size) for c in configs if c.layers}
    stages = all_layers(tuple(dict.fromkeys(c.model for c in configs if not c.layers)))
    stages = stages | {name: own_layers(*each) for name, each in own.items()}
    receptive_fields(comparison, stages)
    layer_by_layer(comparison, stages)


@cached(same, spinner="Analysing the networks …")
def all_layers(models: tuple[str, ...]) -> dict[str, list[dict[str, Any]]]:
    """model -> its stages (see inspection.architecture)."""
    return spawn.ask("layers", *models) if models else {}


@cached(same, spinner="Analysing your network …")
def own_layers(layers: str, input_size: int) -> list[dict[str, Any]]:
    """The stages of a network of one's own."""
    asked = spawn.ask("layers", "--layers", layers, "--input-size", str(input_size))
    return next(iter(asked.values()))


@cached(weights_of_all, most=100, spinner="Measuring what the units look at …")
def measured(runs: list[Run], data: str, row: float, column: float) -> dict[str, dict[str, Any]]:
    """id -> the run's effective fields, see effective_field.run_fields; all in one process.

    `data`, the folder with the data sets, only tells results apart.
    """
    where = "--row", str(row), "--column", str(column)
    found = spawn.ask("fields", *(run.id for run in runs), *where)
    return {each["id"]: each for each in found}


def networks_table(comparison: Comparison) -> None:
    """Cost, size and accuracy of every chosen network."""
    runs = comparison.compared
    rows = comparison.rows.set_index("id").loc[comparison.chosen].reset_index()
    others: dict[str, list[Any]] = {
        "network": [comparison.labels[run.id] for run in runs],
        "blocks": [stats_for(run.config).get("blocks") for run in runs],
        "weights": [run.summary.weights and f"{run.id}/{run.summary.weights}" for run in runs],
        "log": [f"{run.id}/history.csv" if run.path.is_dir() else None for run in runs],
    }
    table = rows.assign(test_accuracy=100 * rows["test_accuracy"], **others)
    st.dataframe(
        table[list(NETWORK_COLUMNS)],
        column_config=NETWORK_COLUMNS,
        hide_index=True,
        height="content",
        placeholder="–",
        alt="Blocks, parameters, file size, receptive field, cost and accuracy of each network",
    )


NETWORK_COLUMNS = {
    "network": st.column_config.TextColumn("Network"),
    "blocks": number_column(
        "Convolution blocks",
        "Convolutions larger than 1×1, in blocks that end where the map shrinks.",
    ),
    "parameters": number_column("Parameters", "Numbers that the network learns."),
    "weights_bytes": number_column("File", "Size of the weights file.", "bytes"),
    "receptive_field": number_column(
        "Receptive field", "Of the last convolution, in pixels.", width=118
    ),
    "macs": number_column("MACs", "Multiply-accumulate operations for one image.", "compact"),
    "latency_ms": number_column("Latency", "Median for one image on one thread.", "%.2f ms"),
    "test_accuracy": number_column("Test", "Accuracy on the test images.", "%.2f %%"),
    "weights": st.column_config.TextColumn("Weights", help="The file, in the run store."),
    "log": st.column_config.TextColumn("Training log", help="The file, in the run store."),
}


def receptive_fields(comparison: Comparison, stages: dict[str, list[dict[str, Any]]]) -> None:
    """For every chosen network a large picture of one stage, and the field as it grows."""
    st.subheader("What a unit can see, and what it looks at", anchor=False)
    left, middle, right = st.columns([2, 2, 3], vertical_alignment="bottom")
    row, column = (
        place.slider(
            f"{name} of the unit",
            0,
            100,
            50,
            5,
            format="%d %%",
            key=f"cmp_{name.lower()}",
            bind="query-params",
            help="Where in its map the unit lies: 0 is the first, 100 the last.",
        )
        / 100
        for name, place in (("Row", left), ("Column", middle))
    )
    measure = right.toggle(
        "Measure what it looks at",
        value=True,
        key="cmp_measure",
        bind="query-params",
        help="The mean absolute gradient of the unit with respect to every pixel, over 32 images."
        + see("receptive field"),
    )
    shown = {run_id: comparison.with_weights(run_id) for run_id in comparison.chosen}
    able = [run for run in shown.values() if run.has_weights]
    found = measured(able, str(data_root()), row, column) if measure and able else {}
    places = st.columns(AT_ONCE, gap="medium")
    for number, (run_id, run) in enumerate(shown.items()):
        with places[number % len(places)]:
            label, mine = comparison.labels[run_id], found.get(run.id)
            one_network(label, run, stages[network_of(run.config)], (row, column), mine)
    st.caption(
        "The receptive field that is given for a network as a whole is that of its last "
        "convolution. Linear layers after it see the whole input: 28×28 pixels, or 32×32 where a "
        "network takes larger images. Frame: the theoretical receptive field, every pixel that can "
        "influence the unit. Glow: the measured one, where changing a pixel changes the unit most; "
        "it is often far smaller. The small pictures are the stages at which the field grows, "
        "from image to output."
    )


def one_network(
    label: str, run: Run, stages: list[dict], where: tuple[float, float], mine: dict | None
) -> None:
    """One network's large picture with its stage's choice above, and the growing field below."""
    known = [stage for stage in stages if stage["field"] is not None]
    if not known:
        st.info(f"{label}: its receptive fields are not known.")
        return
    names = [stage["name"] for stage in known]
    last = [s["name"] for s in known if s["kind"] in ("Conv2d", "conv2d") and not s["whole"]]
    name = st.selectbox(
        label,
        names,
        index=names.index(last[-1]) if last else 0,
        format_func=lambda n: f"{n} · {in_words(known[names.index(n)])}",
        key=f"cmp_stage_{run.id}",
        help="The stage whose unit is shown.",
    )
    side = run.config.input_size
    image = np.array(mine["image"], np.uint8) if mine else example_image(run.config.dataset, side)
    stage = known[names.index(name)]
    spot = box_of(stage, *where)
    st.image(
        overlay_field(image, spot["box"], _field(mine, name)),
        width="stretch",
        alt=f"Receptive field of {name}: {spot['box']}",
    )
    st.caption(_about(stage, spot, run.has_weights))
    strip = growing_fields(known)
    gallery(
        [overlay_field(image, box_of(s, *where)["box"], _field(mine, s["name"]), 2) for s in strip],
        [f"{s['name']} {times(s['field'])}" for s in strip],
    )


def _field(found: dict[str, Any] | None, name: str) -> np.ndarray | None:
    return np.array(found["stages"][name]["field"]) if found else None


def _about(stage: dict[str, Any], spot: dict[str, Any], weights: bool) -> str:
    top, left, bottom, right = spot["box"]
    unit, units = ", ".join(map(str, spot["unit"])), times(spot["units"])
    words = f"Unit ({unit}) of {units}: receptive field {times(stage['field'])} pixels"
    words += f", image rows {top}–{bottom - 1}, columns {left}–{right - 1}."
    return words if weights else f"{words} Not measured: the run has no weights."


def layer_by_layer(comparison: Comparison, stages: dict[str, list[dict[str, Any]]]) -> None:
    """One network's graph beside the table of its layers."""
    st.subheader("Layer by layer", anchor=False)
    help = "The network whose layers are listed."
    run = comparison.runs[pick(comparison, comparison.chosen, "cmp_layers", help)]
    mine = stages[network_of(run.config)]
    left, right = st.columns([1, 3], gap="small")
    with left, st.container(height=560, border=False):
        graph = dot(mine, comparison.labels[run.id], run.config.input_size)
        st.graphviz_chart(graph, width="stretch")
    with right:
        table = pd.DataFrame([_layer(stage) for stage in mine])
        st.dataframe(
            table,
            column_config=LAYER_COLUMNS,
            hide_index=True,
            height=560 if len(mine) > 14 else "content",
            placeholder="–",
            alt="Every layer's shape, parameters, MACs and receptive field",
        )
    files.offer("cmp_layers", table)


def _layer(stage: dict[str, Any]) -> dict[str, Any]:
    known = stage["field"] is not None
    return {
        "name": stage["name"],
        "kind": stage["kind"],
        "shape": times(stage["shape"]),
        "parameters": stage["parameters"],
        "macs": stage["macs"],
        "kernel": times(stage["kernel"] or ()) or None,
        "stride": times(stage["stride"] or ()) or None,
        "field": times(stage["field"]) if known else None,
        "jump": ("whole" if stage["whole"] else times(stage["jump"])) if known else None,
        "center": ", ".join(f"{at:g}" for at in stage["first_center"]) if known else None,
    }


def _text(label: str, help: str, width: int):
    return st.column_config.TextColumn(label, help=help, width=width)


LAYER_COLUMNS = {
    "name": st.column_config.TextColumn("Layer", width=82),
    "kind": st.column_config.TextColumn("Kind", width=92),
    "shape": _text("Shape", "Channels × rows × columns that come out.", 80),
    "parameters": number_column("Parameters", "Numbers that this layer learns.", width=82),
    "macs": number_column("MACs", "Multiply-accumulate operations for one image.", width=72),
    "kernel": _text("Kernel", "The window that slides over the map.", 54),
    "stride": _text("Stride", "How far it moves at each step.", 54),
    "field": _text("Field", "Receptive field: pixels that one unit can depend on.", 60),
    "jump": _text(
        "Jump", "Pixels between the fields of neighbouring units; whole: each sees all.", 60
    ),
    "center": _text("First centre", "Middle of the first unit's field: row, column.", 80),
}
