"""The landscape of accuracy: what is drawn of its cells."""

import pytest

from mnist_core.analysis.landscape import FIELDS, landscape
from mnist_core.charts.landscape import landscape_figure
from mnist_core.models import make_config
from tests.stores import make_run

HERE = make_config("lenet5", "grid")


def test_the_chart_shows_each_cell_as_it_is(store):
    runs = [
        make_run(store, HERE.replace(lr=0.1), accuracy=0.9),
        make_run(store, HERE.replace(lr=0.02, batch_size=256), accuracy=0.95),
        make_run(store, HERE.replace(lr=1), state="diverged", epochs=0),
    ]
    land = landscape(HERE, runs, "lr", "batch_size")
    figure = landscape_figure(land, HERE, 300)
    heat, dots = figure.data
    by_cell = {
        (land.xs[i], land.ys[j]): (text, hover)
        for (i, j), text, hover in zip(dots.customdata, dots.text, dots.hovertext, strict=True)
    }
    assert by_cell[0.02, 256][0] == "<b>★ 95.0</b>"
    assert by_cell[0.1, 64][0] == "<b>☆ 90.0</b>"  # the best of the framed row
    assert by_cell[1.0, 64][0] == "diverged"
    assert by_cell[0.2, 64][0] == "·" and "not trained" in by_cell[0.2, 64][1]
    for frame in figure.layout.shapes:
        middle = (frame.x0 + frame.x1) / 2, (frame.y0 + frame.y1) / 2
        assert middle == (land.xs.index(0.01), land.ys.index(64))
    # as far from 80 % to 90 % as from 98 % to 99 %: the error counts
    assert heat.z[land.ys.index(64)][land.xs.index(0.1)] == pytest.approx(1.0)
    assert heat.z[land.ys.index(64)][land.xs.index(0.2)] is None


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_can_be_drawn_as_an_axis(field):
    other = next(name for name in FIELDS if name != field)
    land = landscape(HERE, [], field, other)
    figure = landscape_figure(land, HERE, 300)
    assert len(figure.layout.xaxis.ticktext) == len(land.xs)
    assert len(figure.data[1].x) == len(land.cells)
