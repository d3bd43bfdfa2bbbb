"""What a canvas sends: freehand strokes go through, all else is refused in a sentence."""

import json

import pytest

from mnist_core.errors import InputError
from mnist_core.imaging.strokes import LARGEST, checked_strokes

STROKE = {"type": "Path", "path": [["M", 1, 2], ["Q", 3, 4.123456, 5, 6], ["L", 7, 8]]}
STROKE |= {"strokeWidth": 23, "stroke": "#ffffff", "fill": None, "left": 4.5, "originX": "left"}
STROKE |= {"shadow": None, "visible": True, "strokeDashArray": None, "version": "7.1.0"}


def test_a_stroke_keeps_its_path_and_its_place_and_nothing_else():
    (kept,) = checked_strokes({"objects": [STROKE], "background": "", "version": "7.1.0"})
    assert kept["path"] == [["M", 1, 2], ["Q", 3, 4.12, 5, 6], ["L", 7, 8]]
    assert (kept["left"], kept["originX"], kept["strokeWidth"]) == (4.5, "left", 23)
    assert "version" not in kept and checked_strokes({"objects": []}) == []
    assert checked_strokes({"objects": [kept]}) == [kept]


BAD = [
    {"type": "Image", "src": "http://evil.example/p.png"},
    {"type": "Group", "objects": [STROKE]},
    STROKE | {"fill": {"type": "pattern", "source": "http://evil.example/p.png"}},
    STROKE | {"clipPath": {"type": "Image", "src": "http://evil.example/p.png"}},
    STROKE | {"path": "M 0 0 L 1 1"},
    STROKE | {"path": []},
    STROKE | {"path": [["M", 1]]},
    STROKE | {"path": [["A", 1, 2]]},
    STROKE | {"path": [[["M"], 1, 2]]},
    STROKE | {"path": [["M", 1, float("inf")]]},
    STROKE | {"path": [["M", 1, 10**400]]},
    STROKE | {"left": "4"},
    STROKE | {"left": True},
    STROKE | {"strokeWidth": 10**9},
    "a stroke",
    None,
]


@pytest.mark.parametrize("bad", BAD, ids=range(len(BAD)))
def test_anything_else_is_refused(bad):
    with pytest.raises(InputError, match="The drawing was refused"):
        checked_strokes({"objects": [STROKE, bad]})


@pytest.mark.parametrize("drawing", [None, 7, "x", [STROKE], {}, {"objects": {}}])
def test_a_drawing_is_a_list_of_strokes(drawing):
    with pytest.raises(InputError, match="not a list"):
        checked_strokes(drawing)


def test_a_drawing_has_a_largest_size():
    size = len(json.dumps(checked_strokes({"objects": [STROKE]})))
    assert checked_strokes({"objects": [STROKE] * ((LARGEST - 100) // (size + 2))})
    with pytest.raises(InputError, match="200,000 are allowed"):
        checked_strokes({"objects": [STROKE] * (LARGEST // size + 1)})
