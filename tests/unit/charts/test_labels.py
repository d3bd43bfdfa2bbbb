"""Names of points, placed so that all can be read."""

import random

from mnist_core.charts.labels import LETTER, LINE, POINT, place_labels


def boxes(points, names, places):
    for (x, y), name, place in zip(points, names, places, strict=True):
        middle = x + place.right, y + place.down
        half = LETTER * len(name) / 2, LINE / 2
        yield middle[0] - half[0], middle[1] - half[1], middle[0] + half[0], middle[1] + half[1]


def overlap(a, b):
    return min(a[2], b[2]) - max(a[0], b[0]) > 0.01 and min(a[3], b[3]) - max(a[1], b[1]) > 0.01


def test_a_lone_point_has_its_name_beside_it():
    (place,) = place_labels([(300, 100)], ["Medium"], 600, 200)
    assert place.right > POINT and place.down == 0 and not place.far


def test_names_hide_neither_each_other_nor_a_point_nor_leave_the_plot():
    draws = random.Random(7)
    points = [(draws.uniform(0, 900), draws.uniform(0, 240)) for _ in range(12)]
    points += [(450, 120), (452, 121), (455, 118)]  # almost on top of each other
    names = ["Network" + "o" * draws.randrange(6) for _ in points]
    found = list(boxes(points, names, place_labels(points, names, 900, 240)))
    marks = [(x - 4, y - 4, x + 4, y + 4) for x, y in points]
    for number, box in enumerate(found):
        assert not any(overlap(box, other) for other in found[number + 1 :])
        assert not any(overlap(box, mark) for mark in marks)
        assert box[0] >= 0 and box[1] >= 0 and box[2] <= 900 and box[3] <= 240


def test_a_whisker_is_avoided_where_there_is_room():
    bar = (110, 0, 116, 200)  # to the right of the point
    (place,) = place_labels([(100, 100)], ["Medium"], 600, 200, [bar])
    assert place.right < 0
