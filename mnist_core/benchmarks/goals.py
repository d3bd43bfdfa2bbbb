"""What the engine was built to reach, and what was measured, as one table. Loads without torch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mnist_core.formatting import markdown_table
from mnist_core.models import model_title

Results = Mapping[str, Mapping[str, Any]]
# Networks with a goal of their own; every other one must not become slower.
QUICKER = {3.5: ("lenet", "lenet5-1998"), 2: ("medium", "small", "ultrasmall", "fast")}
ONE_THREAD = "{}, one thread: times as fast as with torch's layers"


@dataclass(frozen=True)
class Goal:
    """`reached` is a ratio, None where the measurement it needs was not made yet.

    `at_least` is the smallest ratio that meets the goal.
    """

    title: str
    at_least: float
    reached: Callable[[Results], float | None]


def _times(name: str) -> Callable[[Results], float | None]:
    return lambda results: results[name]["times"] if name in results else None


def _loops(results: Results, model: str, threads: int) -> Mapping[str, Any]:
    """The row of a network in the measurement of the loops, or nothing."""
    for row in results.get("overhead", {}).get("rows", ()):
        if (row["model"], row["threads"]) == (model, threads):
            return dict(row)
    return {}


def _faster(model: str) -> Callable[[Results], float | None]:
    return lambda results: _loops(results, model, 1).get("faster")


def _second_core(results: Results) -> float | None:
    one, two = (_loops(results, "lenet5", threads).get("native") for threads in (1, 2))
    return one / two if one and two else None


def _slowest(results: Results) -> float | None:
    """Of all networks that the native engine computes, how many times as fast the least is."""
    rows = results.get("overhead", {}).get("rows", ())
    return min((row["faster"] for row in rows if "faster" in row), default=None)


def _share_under_load(results: Results) -> float | None:
    """Its fair share of the time over the time it took, the worse of one and two threads."""
    return 1 / results["under-load"]["times"] if "under-load" in results else None


GOALS = (
    Goal(ONE_THREAD.format(model_title("lenet5")), 4, _faster("lenet5")),
    Goal("… times faster again with a second core", 1.7, _second_core),
    Goal("… on two cores: times the stock pipeline's images a second", 12, _times("lenet5")),
    Goal("99 % of MNIST: times less CPU time than the PyTorch example", 200, _times("time-to-99")),
    *(
        Goal(ONE_THREAD.format(model_title(model)), least, _faster(model))
        for least, models in QUICKER.items()
        for model in models
    ),
    Goal("the network that gains least, one or two threads", 1, _slowest),
    Goal("beside busy processes: part of its fair share of the cores", 0.95, _share_under_load),
)


def table(results: Results) -> list[str]:
    """The goals whose measurements were made, as lines of a Markdown table."""
    rows = []
    for goal in GOALS:
        if (value := goal.reached(results)) is not None:
            met = "yes" if value >= goal.at_least else "no"
            rows.append([goal.title, f"{goal.at_least:g}", f"{value:.3g}", met])
    return markdown_table(["goal", "at least", "measured", "met"], rows) if rows else []
