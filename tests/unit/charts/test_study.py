"""Charts of a search: their marks are the trials, where their values are."""

import math

import pytest

from mnist_core.charts import study
from mnist_core.charts.study_axes import axis_of
from mnist_core.charts.study_map import contour
from mnist_core.sweeps.plan import Plan
from mnist_core.sweeps.space import read_space
from mnist_core.sweeps.table import StudyTable, TrialRow

SPACE = {"model": "lenet5", "epochs": 5, "lr": "0.001..1:log", "dropout": "0..0.5:step=0.05"}
SPACE |= {"optimizer": "SGD,Adam", "momentum": "0..0.9", "batch_size": "128,32,64"}
RATES = (0.001, 0.01, 0.1, 1.0)


@pytest.fixture(scope="module")
def table():
    rows = [
        TrialRow(9, "failed", {}),
        TrialRow(8, "pruned", {"lr": 0.5, "optimizer": "SGD"}, 0.3, 1),
    ]
    for n, lr in enumerate(RATES):
        values = {"lr": lr, "dropout": 0.1 * n, "batch_size": 32, "optimizer": "Adam"}
        values |= {"optimizer": "SGD", "momentum": 0.5} if n == 3 else {}
        rows.append(TrialRow(n, "done", values, 0.9 + 0.02 * n, 5, second=10.0 ** (5 - n)))
    plan = Plan(read_space(SPACE, "grid"), pruner="none", minimise="parameters")
    return StudyTable("made-up", plan, rows, importance={"lr": 0.7, "dropout": 0.3})


def trials(figure):
    """The numbers of the trials that can be clicked."""
    return [number for trace in figure.to_dict()["data"] for number in trace.get("customdata", ())]


def test_best_so_far_rises_and_shows_every_trial_with_an_accuracy(table):
    figure = study.best_so_far(table)
    assert sorted(trials(figure)) == [0, 1, 2, 3, 8]
    line = figure.data[-1]
    assert list(line.y) == pytest.approx([0.1, 0.08, 0.06, 0.04])


def test_parallel_coordinates_have_an_axis_for_each_field_the_most_important_first(table):
    (lines,) = study.parallel_coordinates(table).data
    labels = [dimension.label for dimension in lines.dimensions]
    assert labels[:2] == ["Learning rate", "Dropout"] and labels[-1] == "Accuracy"
    assert list(lines.dimensions[0].values) == pytest.approx([-3, -2, -1, 0])  # the best is last
    momentum = lines.dimensions[labels.index("Momentum")]
    assert momentum.ticktext[0] == "not used" and momentum["values"][3] == 0.5
    assert momentum["values"][0] == momentum.tickvals[0] < 0
    assert len({lines.line.color[place] for place in range(4)}) == 4


@pytest.mark.parametrize(
    "x, y, kind", [("lr", "dropout", "contour"), ("lr", "optimizer", "heatmap")]
)
def test_a_surface_lies_under_the_trials(table, x, y, kind):
    figure = contour(table, x, y)
    assert figure.data[0].type == kind
    assert set(trials(figure)) == ({0, 1, 2, 3} if y == "dropout" else {0, 1, 2, 3, 8})
    heights = [z for line in figure.data[0].z for z in line if z is not None]
    assert -math.log10(0.1) - 1e-9 <= min(heights) <= max(heights) <= -math.log10(0.04) + 1e-9


def test_slices_and_axes(table):
    figure = study.slice_of(table, "batch_size")
    assert list(figure.data[0].x) == [0.0] * 4 and trials(figure) == [0, 1, 2, 3]
    assert list(figure.layout.xaxis.ticktext) == ["32", "64", "128"]
    ticks = axis_of(table, "dropout").ticks()
    assert ticks["ticktext"] == ["0", "0.2", "0.4"] and ticks["tickvals"] == [0.0, 0.2, 0.4]
    assert axis_of(table, "lr").ticks()["ticktext"] == ["0.001", "0.01", "0.1", "1"]
    bars = study.importance_bars(table).data[0]
    assert list(bars.y) == ["Dropout", "Learning rate"] and list(bars.text) == ["30 %", "70 %"]


def test_the_front_is_drawn_and_a_study_without_results_has_charts_too(table):
    assert set(trials(study.two_objectives(table))) == {0, 1, 2, 3}
    empty = StudyTable("empty", table.plan, [TrialRow(0, "running", {"lr": 0.1})])
    for figure in (study.best_so_far(empty), contour(empty, "lr", "dropout")):
        assert trials(figure) == []


def test_a_trial_without_a_mistake_has_a_place_on_the_logarithmic_axis(table):
    perfect = [TrialRow(0, "done", {"lr": 0.1}, 1.0, 5, second=7000.0)]
    figure = study.two_objectives(StudyTable("perfect", table.plan, perfect))
    assert list(figure.layout.xaxis.ticktext) == ["5k", "10k"]
    highest = 10 ** figure.layout.yaxis.range[1]
    assert all(highest < y for trace in figure.data for y in trace.y)
