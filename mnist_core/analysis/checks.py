"""The checks of experiments: what runs say about a prediction. Loads without torch.

A check gets the runs and the options of an experiment's header, and says which choice is right. A
new one is a function with @check("its kind").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mnist_core.analysis.diagnosis import learned
from mnist_core.analysis.experiment import Experiment, function_of
from mnist_core.analysis.headline import RepeatedRuns, Row
from mnist_core.analysis.named_runs import (
    accuracy_in_words,
    all_seeds,
    best_run,
    config_of,
    mean_row,
)
from mnist_core.analysis.table import runs_table
from mnist_core.errors import InputError, LabError
from mnist_core.evaluation import robustness
from mnist_core.evaluation.calibration import calibration
from mnist_core.evaluation.network import load_network
from mnist_core.evaluation.predictions import logits_and_labels
from mnist_core.evaluation.statistics import wilson
from mnist_core.formatting import (
    counted,
    field_name,
    number,
    percent,
    recipe_label,
    setting,
    signed_points,
)
from mnist_core.imaging.corruptions import CORRUPTIONS
from mnist_core.imaging.sample_drawings import drawn_digits
from mnist_core.models import model_title, recipe_of
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore

Rows = list[list[str]]


@dataclass(frozen=True)
class Outcome:
    """Which choice is right, in words why, and the table that says so."""

    right: int
    words: str
    heads: Sequence[str]
    rows: Rows


@dataclass(frozen=True)
class Store:
    """A run store and its runs."""

    store: RunStore
    runs: Sequence[Run]


Check = Callable[..., Outcome]
CHECKS: dict[str, Check] = {}


def check(kind: str) -> Callable[[Check], Check]:
    def register(function: Check) -> Check:
        CHECKS[kind] = function
        return function

    return register


def carry_out(found: Store, experiment: Experiment) -> Outcome:
    """Raises InputError for a header with a mistake, LabError where runs are missing or damaged."""
    function, options = function_of(CHECKS, experiment.check, f"{experiment.name}: check", 1)
    outcome = function(found, **options)
    if not 0 <= outcome.right < len(experiment.choices):
        count = len(experiment.choices)
        raise InputError(f"{experiment.name}: {count} choices are too few for this check")
    return outcome


@check("best value")
def best_value(
    found: Store, run: Mapping[str, Any], field: str, values: Sequence[Any], shown: Sequence[Any]
) -> Outcome:
    """Which of `values` of a field gives the best validation accuracy; `shown` are in the table."""
    rows, accuracy = [], {}
    for value in dict.fromkeys([*values, *shown]):
        each = best_run(found.runs, config_of(run, **{field: value}))
        accuracy[value] = each.summary.validation_accuracy or 0.0
    for value in sorted(accuracy):
        row = mean_row(found.store, found.runs, config_of(run, **{field: value}))
        able = learned(accuracy[value], row["dataset"])
        words = (
            accuracy_in_words(row) if able else f"{percent(row['test_accuracy'])}, like guessing"
        )
        rows.append([number(value), percent(accuracy[value]), words])
    best = max(values, key=lambda value: accuracy[value])
    words = f"Of these, {setting(field, best)} is the best on the validation images."
    heads = [field_name(field).capitalize(), "Validation", "Test, 95 % interval"]
    return Outcome(list(values).index(best), words, heads, rows)


@check("best moves")
def best_moves(
    found: Store,
    run: Mapping[str, Any],
    field: str,
    values: Sequence[Any],
    over: str,
    ends: Sequence[Any],
    shown: Sequence[Any],
) -> Outcome:
    """Whether the best value of a field stays (0), grows (1) or falls (2) from the first to the
    second of `ends`, which are values of the field `over`."""
    best, rows = {}, []
    for other in dict.fromkeys([*ends, *shown]):
        runs = {v: best_run(found.runs, config_of(run, **{field: v, over: other})) for v in values}
        best[other] = max(values, key=lambda v: runs[v].summary.validation_accuracy or 0.0)
    for other in sorted(best):
        config = config_of(run, **{field: best[other], over: other})
        row = mean_row(found.store, found.runs, config)
        rows.append([number(other), number(best[other]), accuracy_in_words(row)])
    first, second = (best[end] for end in ends)
    right = 0 if first == second else 1 if second > first else 2
    name = field_name(over)
    best_one = f"the best {field_name(field)}"
    words = f"From {name} {ends[0]} to {ends[1]}, {best_one} goes from {first:g} to {second:g}."
    heads = [name.capitalize(), f"Best {field_name(field)}", "Its test, 95 % interval"]
    return Outcome(right, words, heads, rows)


@check("difference")
def difference_of(found: Store, pairs: Sequence[Sequence[Mapping[str, Any]]]) -> Outcome:
    """Whether the first of the first pair is clearly better (0), no different for certain (1), or
    clearly worse (2) than the second. All pairs are in the table."""
    configs = [[config_of(query) for query in pair] for pair in pairs]
    dataset = configs[0][0].dataset
    here = [run for run in found.runs if run.config.dataset == dataset and run.has_weights]
    repeated, rows, right = RepeatedRuns(runs_table(found.store, here)), Rows(), 1
    for place, pair in enumerate(configs):
        a, b = (mean_row(found.store, found.runs, config) for config in pair)
        apart = repeated.difference(a, b)
        if apart is None:
            raise LabError("No run was repeated with another seed: luck cannot be told.")
        real = "real" if apart.low > 0 or apart.high < 0 else "may be luck"
        span = f"{signed_points(apart.low)} to {signed_points(apart.high)}"
        size = [f"{row['title']} ({_recipe(row)}, {row['parameters']:,})" for row in (a, b)]
        rows.append([" against ".join(size), signed_points(apart.mean), span, real])
        if place == 0:
            right = 0 if apart.low > 0 else 2 if apart.high < 0 else 1
    words = f"The first difference {'is ' if rows[0][3] == 'real' else ''}{rows[0][3]}."
    heads = ["Networks (recipe, parameters)", "Difference in points", "95 % interval", "Verdict"]
    return Outcome(right, words, heads, rows)


def _recipe(row: Row) -> str:
    return recipe_label(row["kind"]).lower() if row["kind"] else str(row["recipe"])


@check("first to fall")
def first_to_fall(
    found: Store,
    corruption: str,
    level: float,
    runs: Sequence[Mapping[str, Any]],
    names: Sequence[str],
    also: Sequence[Sequence[Any]] = (),
) -> Outcome:
    """Which run loses most on images with a corruption; `also` are further ones in the table."""
    columns = [(corruption, level), *((kind, at) for kind, at in also)]
    rows, left = Rows(), []
    for name, query in zip(names, runs, strict=True):
        curves = corrupted_accuracy(found.runs, query)
        shares = [dict(curves.curves[kind])[at] for kind, at in columns]
        left.append(shares[0])
        intervals = [wilson(right, curves.images) for right in shares]
        cells = [
            f"{percent(right / curves.images, 1)} ({100 * i.low:.1f} to {100 * i.high:.1f} %)"
            for right, i in zip(shares, intervals, strict=True)
        ]
        rows.append([name, *cells])
    worst = int(np.argmin(left))
    heads = ["Network", *(_corruption(kind, at) for kind, at in columns)]
    words = f"{_corruption(corruption, level)}: {names[worst]} loses most."
    return Outcome(worst, words, heads, rows)


def corrupted_accuracy(runs: Sequence[Run], query: Mapping[str, Any]) -> robustness.Robustness:
    """Of the best seed that was tested on corrupted images. Raises LabError where none was."""
    every = all_seeds(runs, config_of(query))
    curves = next(filter(None, map(robustness.stored, every)), None)
    if curves is None:
        raise LabError(f"No run of {query} was tested on corrupted images; Compare can do that.")
    return curves


def _corruption(kind: str, level: float) -> str:
    found = CORRUPTIONS[kind]
    return f"{found.title} {level:g} {found.unit}".strip()


@check("confidence")
def confidence(found: Store, runs: Sequence[Mapping[str, Any]]) -> Outcome:
    """Whether the first run is right less often than it says (0), as often (1), or more often (2).

    As often: its mean confidence lies in the interval of its accuracy.
    """
    rows, right = Rows(), 1
    for place, query in enumerate(runs):
        run = best_run(found.runs, config_of(query))
        result = calibration(*logits_and_labels(found.store, run, "test"))
        count = len(found.store.labels(run)["test"])
        interval = wilson(round(result.accuracy * count), count)
        sure = result.confidence
        verdict = 0 if sure > interval.high else 2 if sure < interval.low else 1
        right = verdict if place == 0 else right
        told = ("too sure", "as sure as it is right", "not sure enough")[verdict]
        span = (
            f"{percent(result.accuracy)} ({100 * interval.low:.2f} to {100 * interval.high:.2f} %)"
        )
        rows.append([_title(run), percent(sure), span, told])
    words = f"{rows[0][0]} is {rows[0][3]}."
    heads = ["Network", "Mean confidence", "Accuracy, 95 % interval", "Verdict"]
    return Outcome(right, words, heads, rows)


@check("smallest step")
def smallest_step(
    found: Store, runs: Sequence[Mapping[str, Any]], names: Sequence[str], bounds: Sequence[int]
) -> Outcome:
    """In which range the first run's median smallest ε lies, that changes the answer for one of the
    lab's own ten digits: below the first bound, between two, or above the last."""
    from mnist_core.inspection.adversarial import LARGEST, attack

    images, columns, medians = drawn_digits(), list[list[str]](), []
    for query in runs:
        network = load_network(best_run(found.runs, config_of(query)))
        steps = [attack(network, image).smallest or LARGEST + 1 for image in images]
        medians.append(float(np.median(steps)))
        told = [str(step) if step <= LARGEST else f"over {LARGEST}" for step in steps]
        columns.append([*told, f"{medians[-1]:g}"])
    right = int(np.searchsorted(bounds, medians[0]))
    words = f"Half of the {counted(len(images), 'drawing')} need no more than ε = {medians[0]:g}."
    first = [*map(str, range(len(images))), "Median"]
    rows = [list(row) for row in zip(first, *columns, strict=True)]
    return Outcome(right, words, ["Digit", *names], rows)


def _title(run: Run) -> str:
    recipe = recipe_of(run.config) or "own settings"
    return f"{model_title(run.config.model)}, {recipe_label(recipe).lower()}"
