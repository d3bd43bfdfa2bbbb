"""The C functions of a network as they are collected, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from mnist_core.engine.memory import Storage, Value


@dataclass
class Program:
    """The C functions of a network, one for each layer and direction.

    A step is a list of segments. Each is run for all blocks; then `after` is run once, before
    the next segment begins.
    """

    registers: int
    places: dict[int, int]  # of the parameters in their flat buffer, by id()
    functions: list[tuple[str, str]] = field(default_factory=list)  # names, statements
    segments: list[list[str]] = field(default_factory=lambda: [[]])
    after: list[list[str]] = field(default_factory=lambda: [[]])
    evaluation: list[str] = field(default_factory=list)
    before_evaluation: list[str] = field(default_factory=list)
    scratch: list[str] = field(default_factory=lambda: ["1"])
    channels: int = 0  # of all batch normalisations so far
    norms: int = 0
    dropouts: int = 0
    layer: str = ""  # whose functions are being added

    def train(self, role: str, statement: str) -> None:
        self.segments[-1].append(self._add(role, statement))

    def evaluate(self, role: str, statement: str) -> None:
        self.evaluation.append(self._add(role, statement))

    def both(self, role: str, statement: str) -> None:
        call = self._add(role, statement)
        self.segments[-1].append(call)
        self.evaluation.append(call)

    def _add(self, role: str, statement: str) -> str:
        name = f"{role}_{self.layer}"
        self.functions.append((name, statement))
        return f"{name}(block);"

    def finish(self, *statements: str) -> None:
        """Ends the segment: `statements` need the sums of all blocks."""
        self.after[-1] += statements
        self.segments.append([])
        self.after.append([])

    def weights(self, parameter: torch.Tensor | None) -> str:
        return "NULL" if parameter is None else f"WEIGHTS({self.places[id(parameter)]})"

    def gradients(self, parameter: torch.Tensor | None) -> str:
        return "NULL" if parameter is None else f"GRADIENTS({self.places[id(parameter)]})"


def at(storage: Storage, further: int = 0) -> str:
    """A pointer to the first pixel, or to one `further` vectors behind it, as a C expression."""
    return f"IN({storage.start + further})"


def real(value: float) -> str:
    """As a C constant."""
    return f"{float(value)!r}f"


def struct(kind: str, **fields: int | str) -> str:
    """A C struct with these fields."""
    inside = ", ".join(f".{name} = {value}" for name, value in fields.items())
    return f"({kind}){{{inside}}}"


class Operation:
    """One layer, which computes `result` from `source`."""

    source: Value
    result: Value
    name = ""  # of its functions
    title = ""  # of the layer with its settings, as torch prints it

    def forward(self, program: Program) -> None:
        raise NotImplementedError

    def backward(self, program: Program) -> None:
        raise NotImplementedError
