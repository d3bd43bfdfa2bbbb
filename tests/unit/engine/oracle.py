"""One step by the engine and by torch in double precision, side by side."""

import copy
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F


@dataclass
class Comparison:
    """The largest errors, as fractions of the largest value of their tensor."""

    loss: float
    logits: float
    gradients: dict[str, float]
    statistics: dict[str, float]
    evaluation: float

    def worst(self) -> float:
        parts = [*self.gradients.values(), *self.statistics.values()]
        return max(self.loss, self.logits, self.evaluation, *parts)


def compare(build, model: nn.Module, pixels, labels, *, threads=1, smoothing=0.0) -> Comparison:
    """A step in training mode from the model's weights, then logits in evaluation mode."""
    exact = copy.deepcopy(model).double().train()
    network = build(model, tuple(pixels.shape[1:]), len(pixels), threads)
    loss, logits = network.step(pixels, labels, label_smoothing=smoothing)
    expected = exact(pixels.double())
    expected_loss = F.cross_entropy(expected, labels, label_smoothing=smoothing)
    expected_loss.backward()
    evaluation = network.forward(pixels)
    return Comparison(
        loss=abs(loss - expected_loss.item()) / abs(expected_loss.item()),
        logits=error(logits, expected),
        gradients=gradient_errors(model, exact),
        statistics={
            name: error(ours, theirs)
            for (name, ours), theirs in zip(model.named_buffers(), exact.buffers(), strict=True)
        },
        evaluation=error(evaluation, exact.eval()(pixels.double())),
    )


def gradient_errors(model: nn.Module, exact: nn.Module) -> dict[str, float]:
    """Of each parameter. A bias before a normalisation has no gradient but rounding: what is far
    below the network's largest gradient is measured by that one."""
    largest = max(float(p.grad.abs().max()) for p in exact.parameters())
    return {
        name: error(ours.grad, theirs.grad, least=largest / 100)
        for (name, ours), theirs in zip(model.named_parameters(), exact.parameters(), strict=True)
    }


def error(ours: torch.Tensor, theirs: torch.Tensor, least: float = 1e-12) -> float:
    """The largest difference as a fraction of the largest value, or of `least`."""
    theirs = theirs.detach().double()
    largest = theirs.abs().max().clamp_min(least)
    return float((ours.detach().double() - theirs).abs().max() / largest)


def images(count: int, shape: tuple[int, int, int], seed: int = 0) -> torch.Tensor:
    return torch.randn(count, *shape, generator=torch.Generator().manual_seed(seed))


def labels(count: int, classes: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(classes, (count,), generator=torch.Generator().manual_seed(seed))
