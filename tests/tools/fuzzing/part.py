"""The register of the fuzz program's parts, and how a value or a file is spoiled."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

Part = Callable[[random.Random, Path], None]
PARTS: dict[str, Part] = {}

ODD: tuple[Any, ...] = (None, True, -1, 0, 1, 2**31, 10**400, 1e-300, 1e300, float("nan"))
ODD += (float("inf"), "", "\n", "\x1b[31m", "\ud800", "a" * 300, "../../x", "1e999", "--", [], {})
ODD += ([[[]]], {"a": {"b": None}}, "١", "NaN", "-0.0")


def part(name: str) -> Callable[[Part], Part]:
    """Decorator: adds a part under this name."""

    def add(function: Part) -> Part:
        PARTS[name] = function
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
