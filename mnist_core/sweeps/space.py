"""The space of a sweep: which fields of RunConfig vary, and between which values. No Optuna.

A field is fixed (`0.1`), one of a list (`32,64,128`), any of its choices (`any`), or a number in a
range: `1e-4..1:log`, `0..0.5:step=0.05`. TOML takes the same texts, lists, and tables such as
`{low = 1e-4, high = 1, log = true}`.
"""

import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mnist_core.config import RunConfig
from mnist_core.errors import InputError
from mnist_core.files import SMALL_FILE_LIMIT, read_file
from mnist_core.models import check_config, make_config
from mnist_core.rules import Choice, LayersText, Number, Whole

FORMS = "a value, a list (32,64,128), any, or a range (1e-4..1:log, 0..0.5:step=0.05)"
# The other fields follow from these: momentum is sampled only for an optimiser that has one.
DECIDING = ("model", "optimizer", "schedule", "input_size")
MOST_STEPS = 10_000
MOST_VALUES = 1_000


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included; `step` is None where all between may be."""

    low: float
    high: float
    log: bool = False
    step: float | None = None
    whole: bool = False

    def __contains__(self, value: Any) -> bool:
        return self.low <= value <= self.high

    def to_json(self) -> dict[str, Any]:
        more = {"log": True} if self.log else {}
        return {"low": self.low, "high": self.high, **more, **self._step()}

    def _step(self) -> dict[str, Any]:
        return {} if self.step is None else {"step": self.step}

    def rounded(self, value: float) -> float:
        if self.whole:
            return int(value)
        short = float(f"{value:.3g}" if self.step is None else f"{value:.12g}")
        return min(max(short, self.low), self.high)

    def values(self) -> tuple[Any, ...] | None:
        """All of them, where they can be counted."""
        if (self.step is None and not self.whole) or self.log:
            return None
        step = self.step or 1
        count = math.floor((self.high - self.low) / step + 1e-9) + 1
        found = (self.low + number * step for number in range(count))
        return tuple(int(v) if self.whole else float(f"{v:.12g}") for v in found)


@dataclass(frozen=True)
class Options:
    """One of these values, which need no order."""

    options: tuple[Any, ...]

    def __contains__(self, value: Any) -> bool:
        return value in self.options

    def to_json(self) -> list[Any]:
        return list(self.options)

    def values(self) -> tuple[Any, ...] | None:
        return self.options


Dimension = Range | Options


@dataclass(frozen=True)
class Space:
    """What is fixed, what varies, and the recipe that gives all other fields."""

    fixed: Mapping[str, Any] = field(default_factory=dict)
    dimensions: Mapping[str, Dimension] = field(default_factory=dict)
    recipe: str | None = None

    def config(self, values: Mapping[str, Any]) -> RunConfig:
        """The config with these values of the dimensions. Raises InputError."""
        fields = {**self.fixed, **self.rounded(values)}
        return check_config(make_config(fields.pop("model", None), self.recipe, **fields))

    def rounded(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values as a trial uses them, of a range without a step with three digits: 0.0327.

        More digits would make no better setting, only one that is harder to read.
        """
        found = {name: self.dimensions.get(name) for name in values}
        return {
            k: d.rounded(values[k]) if isinstance(d, Range) else values[k] for k, d in found.items()
        }

    def ordered(self) -> Iterator[tuple[str, Dimension]]:
        """The dimensions in the order in which they are sampled: first what others depend on."""
        yield from sorted(self.dimensions.items(), key=lambda d: d[0] not in DECIDING)

    def matters(self, name: str, values: Mapping[str, Any]) -> bool:
        """Whether a field changes anything, given the values sampled so far."""
        decided = {k: v for k, v in values.items() if k in DECIDING}
        fields = {**self.fixed, **decided}
        fields = {k: v for k, v in fields.items() if k in ("dataset", "layers", *DECIDING)}
        return name in make_config(fields.pop("model", None), self.recipe, **fields).used()

    def example(self) -> RunConfig:
        """A config of the space: that with the first value of each dimension."""
        first = {k: d.low if isinstance(d, Range) else d.options[0] for k, d in self.ordered()}
        return self.config(first)

    def to_json(self) -> dict[str, Any]:
        """What `read_space` makes the same space of, with `recipe` beside it."""
        varied = {name: dimension.to_json() for name, dimension in self.dimensions.items()}
        return {**self.fixed, **varied}


def read_space(given: Mapping[str, Any], recipe: str | None = None) -> Space:
    """The space of fields with their values, as TOML or options give them.

    Raises InputError: one sentence that names the field, what was given and what is allowed.
    """
    fixed: dict[str, Any] = {}
    dimensions: dict[str, Dimension] = {}
    for name, value in given.items():
        read = _dimension(name, value)
        if isinstance(read, Options) and len(read.options) == 1:
            fixed[name] = read.options[0]
        elif name == "seed":
            raise InputError("seed: one number is allowed; --seeds says how many a trial has")
        else:
            dimensions[name] = read
    space = Space(fixed, dimensions, recipe)
    space.example()  # combinations that no network takes are found before the first trial
    return space


def read_space_file(path: Path) -> dict[str, Any]:
    """The fields in a TOML file, for `read_space`. Raises InputError."""
    try:
        return tomllib.loads(read_file(path, SMALL_FILE_LIMIT).decode())
    except OSError as error:
        raise InputError(f"space: {path} cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"space: {path} is not valid TOML ({error})") from error


def _dimension(name: str, value: Any) -> Dimension:
    rule = RunConfig.metadata(name)["rule"]
    if name not in RunConfig.option_names():
        raise InputError(f"{name}: a search cannot vary it; leave it out")
    if isinstance(value, str) and not isinstance(rule, LayersText):  # layers have commas
        value = _short_form(name, value)
    if isinstance(value, Mapping):
        return _range(name, value, rule)
    if value == "any":
        return Options(_all_options(name, rule))
    values = value if isinstance(value, list) else [value]
    if not 0 < len(values) <= MOST_VALUES:
        raise InputError(f"{name}: {value!r} was given; allowed is {FORMS}")
    return Options(tuple(dict.fromkeys(RunConfig.check(name, each) for each in values)))


def _short_form(name: str, text: str) -> Any:
    """A range as a table, a list as a list, anything else as it is."""
    if ".." in text:
        bounds, *flags = text.split(":")
        low, _, high = bounds.partition("..")
        return {"low": low, "high": high, **dict(_flag(name, text, flag) for flag in flags)}
    return text.split(",") if "," in text else text


def _flag(name: str, text: str, flag: str) -> tuple[str, Any]:
    if flag == "log":
        return "log", True
    if flag.startswith("step="):
        return "step", flag.removeprefix("step=")
    raise InputError(f"{name}: {text!r} was given; allowed after a range are :log and :step=…")


def _all_options(name: str, rule: Any) -> tuple[Any, ...]:
    if isinstance(rule, Choice):
        return rule._known()
    if isinstance(rule, Whole) and rule.only:
        return rule.only
    raise InputError(f"{name}: 'any' was given; allowed is a list or a range")


def _range(name: str, table: Mapping[str, Any], rule: Any) -> Range:
    if not isinstance(rule, (Whole, Number)) or getattr(rule, "only", None):
        raise InputError(f"{name}: a range was given; allowed is {rule.allowed}, or a list of them")
    unknown = set(table) - {"low", "high", "log", "step"}
    if unknown or not {"low", "high"} <= set(table):
        raise InputError(f"{name}: a range has low and high, and may have log and step")
    low, high = (RunConfig.check(name, table[end]) for end in ("low", "high"))
    log = table.get("log", False)
    if not low < high:
        raise InputError(f"{name}: {low:g}..{high:g} was given; allowed is a range that rises")
    if log not in (True, False) or (log and low <= 0):
        raise InputError(f"{name}: {low:g}..{high:g}:log was given; a log range begins above 0")
    step = _step(name, table, high - low)
    if log and step is not None:
        raise InputError(f"{name}: log and step were given; allowed is one of them")
    return Range(low, high, log, step, isinstance(rule, Whole))


def _step(name: str, table: Mapping[str, Any], width: float) -> float | None:
    if table.get("step") is None:
        return None
    try:
        step = float(table["step"])
    except (TypeError, ValueError, OverflowError):
        step = math.nan
    whole = isinstance(RunConfig.metadata(name)["rule"], Whole)
    if not width / MOST_STEPS <= step <= width or (whole and step != int(step)):
        kind = "a whole number" if whole else "a number"
        raise InputError(
            f"{name}: a step of {table['step']!r} was given; allowed is {kind} above 0 and at "
            f"most {width:g}"
        )
    return int(step) if whole else step
