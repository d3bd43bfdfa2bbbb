import pandas as pd
import pytest

from mnist_core.analysis import table
from mnist_core.analysis.aggregate import averaged_over_seeds, single_runs
from mnist_core.analysis.pareto import OURS, points
from mnist_core.charts.pareto import AXES, CLIPPED, FRONT, WHISKERS, accuracy_against
from mnist_core.charts.style import GREY, colour, marker
from mnist_core.models import make_config
from tests.stores import make_run

NOTHING = table.published([], {})


def table_of(store):
    return single_runs(table.runs_table(store, store.list()[0]))


def draw(column, runs, published=NOTHING, chosen=()):
    slots = {run_id: number for number, run_id in enumerate(chosen)}
    return accuracy_against(column, points(column, runs, published), slots, table.labels_of(runs))


def traces(figure, name):
    return [trace for trace in figure.data if trace.name == name]


def runs_of(figure):
    """The trace of the runs as a data frame by id."""
    (trace,) = traces(figure, OURS)
    look = trace.marker
    columns = {"x": trace.x, "y": trace.y, "text": trace.text, "symbol": look.symbol}
    return pd.DataFrame(columns | {"colour": look.color}, index=list(trace.customdata))


def test_a_point_is_the_error_with_its_interval(store):
    run = make_run(store, accuracy=0.992)
    runs = table_of(store)
    figure = draw("parameters", runs, NOTHING, [run.id])
    point, whisker = runs_of(figure).loc[run.id], traces(figure, WHISKERS)[0]
    assert point["x"] == 61_706 and point["y"] == pytest.approx(0.01)
    assert whisker.y[0] + whisker.error_y.array[0] == pytest.approx(1 - runs["test_low"][0])
    assert whisker.y[0] - whisker.error_y.arrayminus[0] == pytest.approx(1 - runs["test_high"][0])
    words = point["text"].replace("<br>", " ")
    assert "99.00 % (1 run, seed 1) 95 % interval: 98.79 % to 99.18 %" in words


def test_chosen_runs_have_a_colour_and_a_symbol_and_every_point_a_name(store):
    for model in ("lenet5", "small", "medium"):
        make_run(store, make_config(model), accuracy=0.99)
    runs = table_of(store)
    first, second, other = runs["id"]
    figure = draw("receptive_field", runs, NOTHING, [second, first])
    look = runs_of(figure)
    assert look.loc[[second, first], "colour"].tolist() == [colour(0), colour(1)]
    assert look.loc[[second, first], "symbol"].tolist() == [marker(0)[0], marker(1)[0]]
    assert look.loc[other, "colour"] == GREY
    names = [note.text for note in figure.layout.annotations if note.text != "side of the image"]
    titles = runs.set_index("id")["title"]
    assert names == [f"<b>{titles[second]}</b>", f"<b>{titles[first]}</b>", titles[other]]


def test_a_point_keeps_its_number_whatever_is_chosen(store):
    runs = [make_run(store, make_config("lenet5", seed=seed)) for seed in range(4)]
    shown = table_of(store)
    orders = [
        runs_of(draw("parameters", shown, NOTHING, chosen)).index.tolist()
        for chosen in ([], [runs[2].id], [runs[1].id, runs[3].id])
    ]
    assert orders[0] == orders[1] == orders[2]


def test_published_figures_are_hollow(store):
    make_run(store, make_config("lenet5"), accuracy=0.98)
    runs = table_of(store)
    references = table.published(["MNIST"], table.known_figures(runs))
    (published,) = traces(draw("parameters", runs, references), "published")
    assert published.marker.symbol == "circle-open" and len(published.x)
    assert any("chosen by: best epoch on" in text.replace("<br>", " ") for text in published.text)


def test_runs_without_a_test_figure_or_a_size_are_left_out(store):
    make_run(store, make_config("small"), state="paused")
    make_run(store, make_config("medium"), receptive_field=None)
    assert len(runs_of(draw("parameters", table_of(store)))) == 1
    assert not draw("receptive_field", table_of(store)).data


def test_weak_runs_are_clipped_and_leave_the_others_their_room(store):
    good, bad = make_run(store, accuracy=0.99), make_run(store, make_config("small"), accuracy=0.11)
    shown = table_of(store)
    figure = draw("parameters", shown, NOTHING, [good.id, bad.id])
    look = runs_of(figure)
    assert look.loc[[good.id, bad.id], "symbol"].tolist() == ["circle", CLIPPED]
    low, high = (10**end for end in reversed(figure.layout.yaxis.range))
    assert high < 0.05 and look["y"].between(low, high).all()
    assert "<b>Small 10.8 %</b>" in [note.text for note in figure.layout.annotations]
    alone = draw("parameters", shown[shown["id"] == bad.id])
    assert runs_of(alone)["symbol"].tolist() == ["circle"]


def test_no_error_at_all_can_be_drawn(store):
    make_run(store, accuracy=1.0, test_accuracy=1.0)
    (point,) = runs_of(draw("parameters", table_of(store))).to_dict("records")
    assert point["y"] == pytest.approx(0.5 / 10_000) and "100.00 %" in point["text"]


def test_thousands_of_runs_have_neither_whiskers_nor_names(store):
    make_run(store)
    figure = draw("parameters", pd.concat([table_of(store)] * 300, ignore_index=True))
    assert not traces(figure, WHISKERS) and not figure.layout.annotations
    assert runs_of(figure)["text"].iloc[0].count("<br>") < 3  # a short tooltip


@pytest.mark.parametrize("column", AXES)
def test_every_axis_has_its_front(store, column):
    for model, accuracy in (("medium", 0.995), ("mynetv1", 0.99), ("ultrasmall", 0.993)):
        make_run(store, make_config(model), accuracy=accuracy)
    rows = table_of(store)
    (line,) = traces(draw(column, rows), FRONT)
    assert len(line.x) == points(column, rows, NOTHING)["on_front"].sum()
    assert list(line.x) == sorted(line.x)


def test_a_point_that_is_an_average_tells_its_runs(store):
    for seed, accuracy in enumerate((0.99, 0.992, 0.994)):
        make_run(store, make_config("lenet5", seed=seed), accuracy=accuracy)
    (text,) = runs_of(draw("parameters", averaged_over_seeds(table_of(store))))["text"]
    words = text.replace("<br>", " ")
    assert "99.00 ± 0.20 % (3 runs) 95 % interval: 98.50 % to 99.50 %" in words
