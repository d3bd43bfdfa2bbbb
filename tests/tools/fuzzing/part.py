"""The register of the fuzz program's parts, and how a value or a file is spoiled."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Case = Callable[[random.Random, Path], None]

ODD: tuple[Any, ...] = (None, True, -1, 0, 1, 2**31, 10**400, 1e-300, 1e300, float("nan"))
ODD += (float("inf"), "", "\n", "\x1b[31m", "\ud800", "a" * 300, "../../x", "1e999", "--", [], {})
ODD += ([[[]]], {"a": {"b": None}}, "١", "NaN", "-0.0")


@dataclass(frozen=True)
class Part:
    """A kind of input. `prepare` imports what takes longer to load than a case may take; `count`
    cases are run in one process, which then gives its memory back."""

    case: Case
    prepare: Callable[[], object]
    count: int


PARTS: dict[str, Part] = {}


def part(
    name: str, prepare: Callable[[], object] = lambda: None, count: int = 250
) -> Callable[[Case], Case]:
    """Decorator: adds a part under this name."""

    def add(function: Case) -> Case:
        PARTS[name] = Part(function, prepare, count)
        return function

    return add


def spoiled(chance: random.Random, content: bytes) -> bytes:
    """The content with some bytes changed, cut off, doubled or put in."""
    found = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        place = chance.randint(0, len(found))
        match chance.randrange(4):
            case 0:
                found[place : place + 1] = chance.randbytes(1)
            case 1:
                del found[place : place + chance.randint(1, 40)]
            case 2:
                found[place:place] = found[:place][-chance.randint(1, 40) :]
            case _:
                found[place:place] = chance.choice((b"\0", b"[" * 5000, b"9" * 500, b'"', b"\xff"))
    return bytes(found)


def odd_somewhere(chance: random.Random, value: Any, odd: tuple[Any, ...] = ODD) -> Any:
    """A copy of JSON's value with something odd in one place of it, however deep."""
    if isinstance(value, dict) and value and chance.random() < 0.9:
        name = chance.choice([*value])
        return {**value, name: odd_somewhere(chance, value[name], odd)}
    if isinstance(value, list) and value and chance.random() < 0.9:
        at = chance.randrange(len(value))
        return [*value[:at], odd_somewhere(chance, value[at], odd), *value[at + 1 :]]
    return chance.choice(odd)
