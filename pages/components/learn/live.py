"""The live part of an experiment: what a learner moves, and what answers at once.

The header of an experiment names one by its kind. A new one is a function with @live("its kind").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from mnist_core.analysis.checks import corrupted_accuracy
from mnist_core.analysis.curves import curve_rows
from mnist_core.analysis.experiment import function_of
from mnist_core.analysis.named_runs import accuracy_in_words, best_run, config_of, mean_row
from mnist_core.charts.experiments import accuracy_by_rate, intervals
from mnist_core.charts.style import colour
from mnist_core.charts.training import Look, training_curves
from mnist_core.evaluation.statistics import wilson
from mnist_core.formatting import field_name, number, percent, setting
from mnist_core.imaging.corruptions import CORRUPTIONS, corrupt
from mnist_core.imaging.tiles import enlarged
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore
from pages.components.learn.pictures import SHOWN, answer_for, bars, picture, shown_image
from pages.components.shared.watch import image_for

Query = Mapping[str, Any]
Live = Callable[..., None]
LIVE: dict[str, Live] = {}


def live(kind: str) -> Callable[[Live], Live]:
    def register(function: Live) -> Live:
        LIVE[kind] = function
        return function

    return register


def show(name: str, options: Mapping[str, Any], store: RunStore, runs: Sequence[Run]) -> None:
    """The live part of the experiment `name`. Raises InputError for a header with a mistake."""
    function, given = function_of(LIVE, options, f"{name}: live", 3)
    function(f"learn_{name}", store, runs, **given)


def _plot(figure: Any, key: str, alt: str) -> None:
    st.plotly_chart(figure, key=key, alt=alt, config={"displayModeBar": False})


@live("curves")
def curves(
    key: str, store: RunStore, runs: Sequence[Run], run: Query, field: str, values: Sequence[Any]
) -> None:
    """Loss and accuracy of the run with a value of one field."""
    value = st.select_slider(
        field_name(field).capitalize(),
        values,
        format_func=number,
        key=f"{key}_value",
        help="Each is a run that was trained before.",
    )
    chosen = best_run(runs, config_of(run, **{field: value}))
    rows = curve_rows(chosen.id, "", [chosen.history])
    looks = {chosen.id: Look(colour(0))}
    for column, what in zip(st.columns(2), ("loss", "accuracy"), strict=True):
        with column:
            figure = training_curves(rows, what, looks, epochs=chosen.config.epochs)
            _plot(figure, f"{key}_{what}", f"{what} by epoch, {setting(field, value)}")
    st.markdown(
        f"{setting(field, value).capitalize()}: test accuracy "
        f"**{accuracy_in_words(mean_row(store, runs, chosen.config))}**"
    )


@live("rates")
def rates(
    key: str,
    store: RunStore,
    runs: Sequence[Run],
    run: Query,
    field: str,
    values: Sequence[Any],
    over: str,
    others: Sequence[Any],
) -> None:
    """Accuracy by one field, a curve for each chosen value of another."""
    chosen = st.pills(
        field_name(over).capitalize(),
        others,
        selection_mode="multi",
        default=[others[0], others[min(2, len(others) - 1)]],
        format_func=number,
        key=f"{key}_over",
        help="A curve for each.",
    )
    lines = {}
    for other in sorted(chosen or others[:1]):
        found = [
            (value, best_run(runs, config_of(run, **{field: value, over: other})))
            for value in values
        ]
        lines[setting(over, other)] = [
            (value, each.summary.validation_accuracy or 0.0) for value, each in found
        ]
    _plot(accuracy_by_rate(lines), f"{key}_chart", "Validation accuracy by learning rate")


@live("networks")
def networks_with_intervals(
    key: str, store: RunStore, runs: Sequence[Run], networks: Sequence[Query]
) -> None:
    """Test accuracies with their intervals."""
    rows = [mean_row(store, runs, config_of(query)) for query in networks]
    names = [str(row["title"]) for row in rows]
    chosen = st.pills(
        "Networks",
        names,
        selection_mode="multi",
        default=names,
        key=f"{key}_networks",
        help="With the number of parameters behind each name.",
    )
    shown = [row for row, name in zip(rows, names, strict=True) if name in chosen]
    if shown:
        _plot(intervals(shown), f"{key}_chart", "Test accuracy with 95 % intervals")


@live("corrupted")
def corrupted(
    key: str,
    store: RunStore,
    runs: Sequence[Run],
    networks: Sequence[Query],
    names: Sequence[str],
    corruptions: Sequence[str],
) -> None:
    """An image with a corruption, and how many test images each network reads with it."""
    kind = st.segmented_control(
        "What happens to the images",
        corruptions,
        default=corruptions[0],
        required=True,
        format_func=lambda each: CORRUPTIONS[each].title,
        key=f"{key}_kind",
        help="The same is done to every test image.",
    )
    found = CORRUPTIONS[kind]
    level = st.select_slider(
        f"How strongly ({found.unit})",
        found.levels,
        value=found.neutral,
        format_func=number,
        key=f"{key}_level_{kind}",
        help="It begins where the images stay as they are.",
    )
    left, right = st.columns([1, 4], vertical_alignment="center")
    dataset = config_of(networks[0]).dataset
    with left:
        picture(enlarged(corrupt(image_for(dataset)[None], kind, level)[0], 5), "The image")
    curves = [corrupted_accuracy(runs, query) for query in networks]
    shares = [dict(each.curves[kind])[level] / each.images for each in curves]
    spans = [wilson(round(s * c.images), c.images) for s, c in zip(shares, curves, strict=True)]
    words = [
        f"{percent(share, 1)} ({100 * i.low:.1f} to {100 * i.high:.1f} %)"
        for share, i in zip(shares, spans, strict=True)
    ]
    with right:
        bars(names, shares, words)


@live("sure")
def sure(key: str, store: RunStore, runs: Sequence[Run], run: Query) -> None:
    """What a network answers to a digit, and to what is none."""
    what = st.segmented_control(
        "Show it",
        SHOWN,
        default=SHOWN[0],
        required=True,
        key=f"{key}_what",
        help="Drawn by the lab; on the Playground you draw yourself.",
    )
    image = shown_image(what, config_of(run).dataset)
    answer_for(best_run(runs, config_of(run)), image)


@live("fooled")
def fooled(key: str, store: RunStore, runs: Sequence[Run], run: Query) -> None:
    """A drawn digit, its change by ε, and what the network reads."""
    from mnist_core.evaluation.network import load_network
    from mnist_core.imaging.sample_drawings import drawn_digits
    from mnist_core.inspection.adversarial import LARGEST, attack

    digits = drawn_digits()
    digit = st.segmented_control(
        "Digit",
        range(len(digits)),
        default=2,
        required=True,
        key=f"{key}_digit",
        help="Drawn by the lab; on the Playground you fool it with your own.",
    )
    epsilon = st.slider(
        "ε, in grey levels of 255",
        0,
        LARGEST,
        0,
        key=f"{key}_epsilon",
        help="How far each pixel moves, up or down.",
    )
    chosen = best_run(runs, config_of(run))
    found = attack(load_network(chosen), digits[digit])
    answer_for(chosen, found.result(epsilon))
