"""An epoch that was left between two steps, as a resume state keeps it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

Loss = tuple[int, int, float]  # epoch, step and loss


@dataclass(frozen=True)
class PartialEpoch:
    """What the rest of an epoch depends on, beside the weights, the optimiser and the schedule.

    `step` steps are behind it. `logits`, (images so far, classes) or nothing, and `losses` are
    for the epoch's figures; `lr` is the learning rate with which it began, `seconds` what it has
    taken so far. `random` are the states of torch's generators: the CPU's, then the GPU's. Before
    the first step there is nothing of all that.
    """

    lr: float
    step: int = 0
    logits: Sequence[torch.Tensor] = ()
    losses: Sequence[Loss] = ()
    seconds: float = 0.0
    random: Sequence[torch.Tensor] = ()

    def restore_random_state(self) -> None:
        """Lets torch's generators go on from where they were."""
        for state, restore in zip(self.random, (torch.set_rng_state, _set_gpu_state), strict=False):
            restore(state)

    def to_dict(self) -> dict[str, Any]:
        """Only what a file that runs no code may hold."""
        return {
            "lr": self.lr,
            "step": self.step,
            "logits": torch.cat(list(self.logits)).cpu(),
            "losses": [list(loss) for loss in self.losses],
            "seconds": self.seconds,
            "random": list(self.random),
        }


def random_states(device: str) -> list[torch.Tensor]:
    """Those of the generators that training on this device draws from."""
    gpu = [torch.cuda.get_rng_state()] if device == "cuda" else []
    return [torch.get_rng_state(), *gpu]


def _set_gpu_state(state: torch.Tensor) -> None:
    if torch.cuda.is_available():
        torch.cuda.set_rng_state(state)


def read_partial(
    saved: dict[str, Any],
    *,
    epoch: int,
    steps: int,
    images: Sequence[int],
    classes: int,
    device: str,
) -> PartialEpoch:
    """From `PartialEpoch.to_dict` of the `epoch`-th epoch, which has `steps` steps.

    `images[k]` is how many images the first k steps have. Raises ValueError, TypeError, KeyError
    or RuntimeError for anything else.
    """
    step, logits, losses = saved["step"], saved["logits"], saved["losses"]
    if type(step) is not int or not 0 < step <= steps:
        raise ValueError(f"step {step!r} of {steps}")
    if logits.dtype != torch.float32 or logits.shape != (images[step], classes):
        raise ValueError("the logits are of other images")
    losses = [(int(e), int(s), float(loss)) for e, s, loss in losses]
    if any(e != epoch or not 0 < s <= step or not math.isfinite(loss) for e, s, loss in losses):
        raise ValueError("the losses are of other steps")
    numbers = [float(saved[name]) for name in ("lr", "seconds")]
    if not all(0 <= number < math.inf for number in numbers):
        raise ValueError("the learning rate or the time is not a number")
    random = list(saved["random"])
    torch.Generator().set_state(random[0])  # raises for what is no state
    if device == "cuda":
        torch.Generator("cuda").set_state(random[1])
    return PartialEpoch(numbers[0], step, [logits.to(device)], losses, numbers[1], random)
