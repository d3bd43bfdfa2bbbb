"""What fine-tuning has brought, in words."""

import numpy as np
import pytest

from mnist_core.analysis.fine_tuned import Outcome, p_value, sentences
from mnist_core.data.tuning_set import Source
from mnist_core.models import make_config
from mnist_core.runs.run import Run
from mnist_core.runs.summary import Summary
from mnist_core.runs.tuned import Change, Learned, Report


def outcome(path, before, after, test):
    """Of drawings that are all ones; the answers are 1 where right, else 7."""
    answers = [tuple(1 if right else 7 for right in each) for each in (before, after)]
    names = tuple(f"{number}.png" for number in range(len(before)))
    learned = Learned(Source("everybody"), names, (1,) * len(names), names)
    run = Run(path, make_config("lenet5"), Summary("done"))
    return Outcome(run, learned, Report(*answers, 10, test, 1.0))


@pytest.mark.parametrize(
    "before, after, verdict",
    [
        ([1] * 20, [1] * 20, "There was nothing to gain."),
        ([1] * 19 + [0], [1] * 19 + [0], "Nothing has changed."),
        ([1] * 20, [0] * 10 + [1] * 10, "It reads this handwriting worse than before (p = 0.002)."),
        ([0] * 10 + [1] * 10, [1] * 20, "It reads this handwriting better than before (p = 0.002)"),
        ([1] * 2000, [0] + [1] * 1999, "1 turned wrong. Chance alone could do that (p = 1)."),
    ],
)
def test_of_the_drawings_it_says_what_was_gained_or_lost(tmp_path, before, after, verdict):
    told, _ = sentences(outcome(tmp_path, before, after, None))
    assert verdict in told


def test_of_the_test_images_it_says_how_much_was_lost(tmp_path):
    told = sentences(outcome(tmp_path, [1] * 20, [1] * 20, Change(10_000, 9900, 6000, 3900, 0)))[1]
    assert "99.00 % before, 60.00 % after" in told and "It has lost 39.00 points" in told
    slight = Change(10_000, 9900, 9899, 2, 1)
    told = sentences(outcome(tmp_path, [1] * 20, [1] * 20, slight))[1]
    assert p_value(slight) == 1 and "lost" not in told


def test_a_change_counts_what_turned_right_and_wrong():
    labels, before, after = (
        np.array([3, 3, 3, 3, 3]),
        np.array([3, 3, 1, 1, 1]),
        np.array([3, 1, 3, 3, 2]),
    )
    assert Change.of(labels, before, after) == Change(5, 2, 3, 1, 2)
