"""The running average of a network's weights in training, which is what is kept of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import nn

SOON = 10  # steps: an average of so few follows the weights more closely than it is asked to


class WeightAverage:
    """The exponential moving average of a network's parameters and running statistics.

    Of each step's weights it takes up 1 - `decay`, early on more: 9/10 of the first step's, 9/11 of
    the second's, 9/12 of the third's, until that is less than asked for.

    B. T. Polyak, A. B. Juditsky: Acceleration of stochastic approximation by averaging. SIAM
    Journal on Control and Optimization 30(4), 1992.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        """Of a network on its device, whose tensors stay where they are from now on."""
        state = model.state_dict()  # shares its memory with the network
        self._weights = {k: v for k, v in state.items() if v.is_floating_point()}
        self.values = {name: value.clone() for name, value in self._weights.items()}
        self.decay, self.updates = decay, 0

    def update(self) -> None:
        """Takes up the network's present weights: to be called after each step."""
        kept = min(self.decay, (1 + self.updates) / (SOON + self.updates))
        for name, value in self.values.items():
            value.lerp_(self._weights[name], 1 - kept)
        self.updates += 1

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Gives the network the average for the time of a `with`."""
        own = {name: value.clone() for name, value in self._weights.items()}
        self._write(self.values)
        try:
            yield
        finally:
            self._write(own)

    @torch.no_grad()
    def _write(self, values: Mapping[str, torch.Tensor]) -> None:
        for name, weights in self._weights.items():
            weights.copy_(values[name])

    def state(self) -> dict[str, object]:
        return {"values": self.values, "updates": self.updates}

    def load_state(self, saved: Mapping[str, object], updates: int) -> None:
        """Goes on from `state()` after so many updates. Raises ValueError, TypeError or KeyError
        for anything else."""
        values = saved["values"]
        if type(saved["updates"]) is not int or saved["updates"] != updates:
            raise ValueError("the average is of other steps")
        if not isinstance(values, dict) or values.keys() != self.values.keys():
            raise ValueError("the average is of another network")
        for name, value in self.values.items():
            found = values[name]
            if not isinstance(found, torch.Tensor) or found.dtype != value.dtype:
                raise ValueError("the average is no tensor of numbers")
            if found.shape != value.shape:
                raise ValueError("the average has another shape")
        for name, value in self.values.items():
            value.copy_(values[name])
        self.updates = updates
