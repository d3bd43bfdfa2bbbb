"""Rules for values from outside, and dataclasses whose fields are checked by them. No torch."""

import dataclasses
import functools
import math
import re
import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from mnist_core.errors import InputError
from mnist_core.layers.text import LONGEST
from mnist_core.tuning import Tuning

DECIMAL_COMMA = re.compile(r"\s*-?\d*,\d+\s*")
MODEL_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")


@dataclass(frozen=True)
class Choice:
    """Allowed: one of `options`, in any mixture of upper and lower case.

    A function where they are known only later: data sets can be registered at any time.
    """

    options: tuple[str, ...] | Callable[[], tuple[str, ...]]

    def _known(self) -> tuple[str, ...]:
        return self.options() if callable(self.options) else self.options

    @property
    def allowed(self) -> str:
        return "one of " + ", ".join(self._known())

    def check(self, value: Any) -> str:
        for option in self._known():
            if isinstance(value, str) and value.lower() == option.lower():
                return option
        raise ValueError


@dataclass(frozen=True)
class ModelName:
    """Allowed: anything in the form of a network's name; the registry knows which exist."""

    allowed: str = "a network's name in lower case (see: python -m mnist_core models)"

    def check(self, value: Any) -> str:
        if isinstance(value, str) and MODEL_NAME.fullmatch(value.lower()):
            return value.lower()
        raise ValueError


@dataclass(frozen=True)
class Whole:
    """Allowed: a whole number from `low` to `high`, or one of `only`."""

    low: int
    high: int
    only: tuple[int, ...] = ()

    @property
    def allowed(self) -> str:
        if self.only:
            return "one of " + ", ".join(map(str, self.only))
        return f"a whole number from {self.low} to {self.high}"

    def check(self, value: Any) -> int:
        if isinstance(value, str):
            value = float(value)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
            raise ValueError
        if not self.low <= value <= self.high or (self.only and value not in self.only):
            raise ValueError
        return int(value)


@dataclass(frozen=True)
class Number:
    """Allowed: a finite number from `low` to `high`."""

    low: float
    high: float

    @property
    def allowed(self) -> str:
        return f"a number from {self.low:g} to {self.high:g}"

    def check(self, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise ValueError
        number = float(value)
        if not math.isfinite(number) or not self.low <= number <= self.high:
            raise ValueError
        return number + 0.0  # -0.0 and 0.0 are the same experiment, so one id


@dataclass(frozen=True)
class Switch:
    """Allowed: true or false. On the command line, naming the option makes it true."""

    allowed: str = "true or false"

    def check(self, value: Any) -> bool:
        if isinstance(value, bool):
            return value
        raise ValueError


@dataclass(frozen=True)
class LayersText:
    """Allowed: layers as layers.text reads them; RunConfig knows what they have to fit."""

    allowed: str = "layers such as conv 8 5x5, relu, pool 2, flatten, linear 10"

    def check(self, value: Any) -> str:
        if isinstance(value, str) and len(value) <= LONGEST:
            return value.strip()
        raise ValueError


@dataclass(frozen=True)
class TuningText:
    """Allowed: what tuning.Tuning writes of a fine-tuned run, and "" for all others."""

    allowed: str = "nothing, or what the command fine-tune has written"

    def check(self, value: Any) -> str:
        if isinstance(value, str):
            return str(Tuning.parse(value)) if value else ""
        raise ValueError


Rule = Choice | ModelName | Whole | Number | Switch | LayersText | TuningText


def check_value(name: str, value: Any, rule: Rule) -> Any:
    """The canonical form of a value, from a number or from text.

    Raises InputError that names the field, what was given and what is allowed.
    """
    try:
        return rule.check(value)
    except (ValueError, OverflowError):
        given = repr(value) if len(repr(value)) < 60 else repr(value)[:57] + "…"
        point = (
            isinstance(value, str) and isinstance(rule, Number) and DECIMAL_COMMA.fullmatch(value)
        )
        note = ", with a decimal point" if point else ""
        raise InputError(f"{name}: {given} was given; allowed is {rule.allowed}{note}") from None


def option(default: Any, rule: Rule, help: str, *, added: bool = False, apart: bool = False) -> Any:
    """A dataclass field with its default, its rule, and one line of help for people.

    `added`: it came after runs had shipped, which were trained as its default says. Such a field
    is no part of the id while it has its default, so that those runs keep their ids. `apart`: a
    command of its own sets it, so that it is no option of those that train and search.
    """
    facts = {"rule": rule, "help": help, "added": added, "apart": apart}
    return field(default=default, metadata=facts)


@dataclass(frozen=True)
class Checked:
    """Base of dataclasses whose fields are made with `option`.

    On construction every value is checked against its rule and put into its canonical form.
    """

    def __post_init__(self) -> None:
        for name in self.names():
            object.__setattr__(self, name, self.check(name, getattr(self, name)))

    @classmethod
    def names(cls) -> tuple[str, ...]:
        return tuple(cls._settings())

    @classmethod
    def option_names(cls) -> tuple[str, ...]:
        """The fields that commands and searches set, one by one."""
        return tuple(name for name, each in cls._settings().items() if not each["apart"])

    @classmethod
    @functools.cache
    def _settings(cls) -> dict[str, Mapping[str, Any]]:
        return {f.name: f.metadata for f in dataclasses.fields(cls)}

    @classmethod
    def metadata(cls, name: str) -> Mapping[str, Any]:
        """The rule and the help of one field. Raises InputError for an unknown one."""
        if name not in cls._settings():
            given = name if str(name).isidentifier() else repr(name)
            raise InputError(f"{given}: no such field; there are {', '.join(cls.names())}")
        return cls._settings()[name]

    @classmethod
    def check(cls, name: str, value: Any) -> Any:
        """The canonical form of one field's value: see `check_value`."""
        return check_value(name, value, cls.metadata(name)["rule"])

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """From JSON's dictionary. Raises InputError for an unknown key or a bad value."""
        if not isinstance(values, dict):
            given = reprlib.repr(values)
            raise InputError(f"{cls.__name__}: an object with fields was expected, not {given}")
        for name in values:
            cls.metadata(name)
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.names()}

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed; unknown ones and bad values raise InputError."""
        for name in changes:
            self.metadata(name)
        return dataclasses.replace(self, **changes)
