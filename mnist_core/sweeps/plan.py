"""The plan of a sweep: its space and how it is searched, as the study keeps it. No Optuna."""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import Any, Self

from mnist_core.config import RunConfig
from mnist_core.errors import InputError, LabError
from mnist_core.rules import Whole, check_value
from mnist_core.sweeps.space import Space, read_space

JOURNAL = "studies.journal"  # in the run store
SAMPLERS = ("tpe", "random", "grid", "cmaes", "gp")
PRUNERS = ("percentile", "median", "hyperband", "wilcoxon", "none")
PACKAGES = {"cmaes": "cmaes", "gp": "scipy", "wilcoxon": "scipy"}  # that they need
SECOND = ("", "parameters", "macs")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}")
MOST_SEEDS = 100
SEEDS = Whole(1, MOST_SEEDS)
WINNER_SEEDS = 5  # with which the best setting is trained again


@dataclass(frozen=True)
class Plan:
    """What all trials of a study share.

    A trial is the mean over `seeds` seeds. `minimise` is "", or a second objective beside the
    validation accuracy: "parameters" or "macs".
    """

    space: Space
    sampler: str = "tpe"
    pruner: str = PRUNERS[0]
    seeds: int = 1
    minimise: str = ""

    def __post_init__(self) -> None:
        _check("sampler", self.sampler, SAMPLERS)
        _check("pruner", self.pruner, PRUNERS)
        _check("minimise", self.minimise, SECOND)
        check_value("seeds", self.seeds, SEEDS)
        if not self.space.dimensions:
            raise InputError("space: nothing varies; give a list or a range for one field at least")
        if self.minimise and self.pruner != "none":
            raise InputError(
                f"pruner: {self.pruner} was given; with two objectives allowed is none"
            )
        if self.pruner == "wilcoxon" and self.seeds < 2:
            raise InputError("pruner: wilcoxon was given; it compares seeds, so give --seeds, too")
        if self.sampler == "grid":
            self.grid_size()

    def check_packages(self) -> None:
        """Raises LabError where a package is missing that the sampler or the pruner needs."""
        for name in (self.sampler, self.pruner):
            package = PACKAGES.get(name)
            if package and find_spec(package) is None:
                raise LabError(f"{name} needs the package {package}: pip install {package}")

    def grid(self) -> dict[str, list[Any]]:
        """The values of each dimension. Raises InputError for one with endlessly many."""
        found = {name: dimension.values() for name, dimension in self.space.ordered()}
        for name, values in found.items():
            if values is None:
                raise InputError(f"{name}: a grid needs a list, or a range with a step")
        return {name: list(values or ()) for name, values in found.items()}

    def grid_size(self) -> int:
        return math.prod(len(values) for values in self.grid().values())

    def configs(self, values: Mapping[str, Any]) -> list[RunConfig]:
        """The runs of a trial with these values, one for each seed. Raises InputError."""
        first = self.space.config(values)
        return [first.replace(seed=first.seed + number) for number in range(self.seeds)]

    def to_json(self) -> dict[str, Any]:
        kept = {**asdict(self), "space": self.space.to_json(), "recipe": self.space.recipe}
        return dict(sorted(kept.items()))

    @classmethod
    def from_json(cls, kept: Any) -> Self:
        """Raises LabError for what is no plan, or one of a newer version."""
        try:
            space = read_space(kept["space"], kept["recipe"])
            return cls(space, kept["sampler"], kept["pruner"], kept["seeds"], kept["minimise"])
        except (KeyError, TypeError, ValueError) as error:
            raise LabError(
                f"The study is none that this version of the lab reads: {error}."
            ) from error

    def default_name(self) -> str:
        """A name that the same command gives again."""
        text = json.dumps(self.to_json(), sort_keys=True)
        example = self.space.example()
        digest = hashlib.sha256(text.encode()).hexdigest()[:6]
        return f"{example.dataset}-{example.model}-{digest}".lower()


def _check(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        names = ", ".join(filter(None, allowed))
        raise InputError(f"{name}: {value!r} was given; allowed is one of {names}")


def check_name(name: str) -> str:
    """A study's name, of which a file is named. Raises InputError."""
    if not NAME.fullmatch(name):
        raise InputError(
            f"name: {name!r} was given; allowed are up to 61 letters, digits, dots, hyphens and "
            "underscores, the first of them a letter or a digit"
        )
    return name
