"""What fine-tuning on drawings has brought, in figures and in words. Loads without torch.

Before and after are compared on drawings that the network had not learned: of as many parts as
`Report.folds` says, each in turn was left out, and read by a network that had learned the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mnist_core.analysis.describe import recipe_words
from mnist_core.data.tuning_set import Source
from mnist_core.evaluation.scores import Score
from mnist_core.evaluation.statistics import mcnemar_p
from mnist_core.formatting import counted, percent, points, signed_points
from mnist_core.models import network_title, recipe_of
from mnist_core.runs.run import Run
from mnist_core.runs.tuned import Change, Learned, Report, learned, report

CHANCE = 0.05  # a p-value from here on may be luck


@dataclass(frozen=True)
class Outcome:
    """Of a finished fine-tuned run: what it learned, and what came of it."""

    run: Run
    learned: Learned
    report: Report

    @property
    def left_out(self) -> Change:
        """Of the drawings, each as read by networks that had not learned it."""
        answers = self.report.before, self.report.after
        return Change.of(np.array(self.learned.labels), *map(np.array, answers))

    def turned(self, right: bool) -> list[int]:
        """The places, among what it learned, of the drawings that turned right or wrong."""
        rows = zip(self.learned.labels, self.report.before, self.report.after, strict=True)
        return [
            place
            for place, (label, was, now) in enumerate(rows)
            if (was == label) != (now == label) and (now == label) == right
        ]

    @property
    def unlearned(self) -> dict[str, int]:
        """By the hash of each drawing's image: the answer of a network that had not learned it."""
        return dict(zip(self.learned.hashes, self.report.after, strict=True))


def outcome(run: Run) -> Outcome | None:
    """None for a run that was not fine-tuned, is not finished, or whose files are damaged."""
    known, found = learned(run), report(run)
    if known is None or found is None or len(known.labels) != len(found.before):
        return None
    return Outcome(run, known, found)


def outcomes(runs: Iterable[Run], parent: Run, source: Source) -> list[Outcome]:
    """Of the runs that were fine-tuned from `parent` on drawings of this source, newest first."""
    made = [run for run in runs if run.config.tuning and run.config.parent.id == parent.id]
    found = [each for run in made if (each := outcome(run))]
    ours = [each for each in found if each.learned.source == source]
    return sorted(ours, key=lambda each: -each.run.summary.created)


def scores(change: Change) -> tuple[Score, Score]:
    """Before and after."""
    return Score(change.before, change.images), Score(change.after, change.images)


def p_value(change: Change) -> float:
    """McNemar's: how likely such a change is by mere luck."""
    return mcnemar_p(change.only_after, change.only_before)


def from_words(run: Run) -> str:
    """Such as "fine-tuned on 37 drawings (last layer), from LeNet-5 · our best"."""
    tuned = run.config.tuned
    return f"{tuned.in_words()}, from {parent_words(run)}" if tuned else ""


def parent_words(run: Run) -> str:
    """The network and the recipe that it was fine-tuned from."""
    recipe, title = recipe_of(run.config.parent), network_title(run.config)
    return title if recipe == run.config.model else f"{title} · {recipe_words(run.config.parent)}"


def sentences(found: Outcome) -> list[str]:
    """What came of it, one sentence after the other; plain text."""
    return [_of_drawings(found), _of_test(found)]


def _of_drawings(found: Outcome) -> str:
    change = found.left_out
    before, after = scores(change)
    gained = change.only_after, change.only_before
    words = (
        f"Of {counted(change.images, 'drawing')}, {change.before} were read right before, and "
        f"{change.after} after it had learned the others "
        f"({percent(before.share, 0)} and {percent(after.share, 0)}): {gained[0]} turned right, "
        f"{gained[1]} turned wrong."
    )
    if not any(gained):
        perfect = change.before == change.images
        return f"{words} {'There was nothing to gain.' if perfect else 'Nothing has changed.'}"
    if p_value(change) < CHANCE:
        kind = "better" if gained[0] > gained[1] else "worse"
        return f"{words} It reads this handwriting {kind} than before (p = {p_value(change):.2g})."
    return f"{words} Chance alone could do that (p = {p_value(change):.2g})."


def _of_test(found: Outcome) -> str:
    dataset, test = found.run.config.dataset, found.report.test
    if test is None:
        return (
            f"What it forgot was neither limited nor measured: {dataset}'s images are not on the "
            "machine. Only its last layer has learned, in small steps."
        )
    before, after = scores(test)
    words = (
        f"{dataset}'s test images: {percent(before.share)} before, {percent(after.share)} after "
        f"({signed_points(after.share - before.share)} points; {test.only_before} of "
        f"{test.images:,} turned wrong, {test.only_after} turned right)."
    )
    if p_value(test) < CHANCE and test.after < test.before:
        lost = points(before.share - after.share)
        return f"{words} It has lost {lost} on them, more than by chance (p = {p_value(test):.2g})."
    return words


def as_row(found: Outcome) -> dict[str, Any]:
    """All of it by name, for JSON."""
    tuned = found.run.config.tuned
    assert tuned
    return {
        "parent": found.run.config.parent.id,
        "part": tuned.part,
        "drawings": tuned.drawings,
        "fingerprint": tuned.fingerprint,
        "epochs": tuned.epochs,
        "lr": tuned.lr,
        "mixed": tuned.mixed,
        "folds": found.report.folds,
        "left_out": _figures(found.left_out),
        "turned_right": [found.learned.files[place] for place in found.turned(right=True)],
        "turned_wrong": [found.learned.files[place] for place in found.turned(right=False)],
        "test": _figures(found.report.test) if found.report.test else None,
        "seconds_in_all": found.report.seconds,
    }


def _figures(change: Change) -> dict[str, Any]:
    figures: dict[str, Any] = {"images": change.images}
    for name, score in zip(("before", "after"), scores(change), strict=True):
        low, high = score.interval.low, score.interval.high
        figures[name] = {"right": score.right, "accuracy": score.share, "low": low, "high": high}
    figures |= {"turned_right": change.only_after, "turned_wrong": change.only_before}
    return figures | {"p_value": p_value(change)}


def rows_of(found: Outcome) -> Sequence[dict[str, str]]:
    """A table for people: before and after with their 95 % intervals."""
    named = {"drawings, each left out": found.left_out}
    if found.report.test:
        named[f"{found.run.config.dataset} test set"] = found.report.test
    return [
        {
            "images": f"{name} ({change.images:,})",
            **{
                when: f"{percent(score.share)} "
                f"({percent(score.interval.low, 1)} to {percent(score.interval.high, 1)})"
                for when, score in zip(("before", "after"), scores(change), strict=True)
            },
        }
        for name, change in named.items()
    ]
