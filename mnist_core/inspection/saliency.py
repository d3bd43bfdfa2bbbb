"""Why this answer? Four maps of which pixels of a 28×28 image speak for or against a class.

- gradient: K. Simonyan, A. Vedaldi, A. Zisserman, Deep inside convolutional networks, 2013.
- integrated gradients: M. Sundararajan, A. Taly, Q. Yan, Axiomatic attribution for deep networks,
  ICML 2017; from the black image to this one.
- Grad-CAM: R. R. Selvaraju et al., Grad-CAM: visual explanations from deep networks via
  gradient-based localization, ICCV 2017.
- occlusion: M. D. Zeiler, R. Fergus, Visualizing and understanding convolutional networks, 2014.

All of them explain a score: a class's logit, or its difference to another class's logit. Networks
are shared between visitors; nothing here writes to one or leaves a hook or a gradient on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional as F

from mnist_core.data.transforms import to_input
from mnist_core.dataset_specs import IMAGE_SIDE
from mnist_core.errors import InputError
from mnist_core.evaluation.network import Network, one_thread
from mnist_core.inspection.stages import Stage, walk
from mnist_core.inspection.unit import afterwards

if TYPE_CHECKING:
    from torch import nn

METHODS = ("gradient", "integrated gradients", "Grad-CAM", "occlusion")
STEPS = 64  # of the integral
AT_ONCE = 32  # images in one batch
PATCH, STRIDE = 6, 2  # pixels: side of the black square of occlusion, and its steps


@dataclass(frozen=True)
class Score:
    """What is explained: the logit of class `target`, minus that of class `against` if given."""

    target: int
    against: int | None = None

    def of(self, logits: torch.Tensor) -> torch.Tensor:
        """(N, classes) logits -> (N,) scores."""
        if self.against is None:
            return logits[:, self.target]
        return logits[:, self.target] - logits[:, self.against]


@dataclass(frozen=True, eq=False)
class Saliency:
    """(28, 28) values, positive where a pixel speaks for the class.

    Integrated gradients should sum to `difference`, the score of the image minus that of the black
    image. `total` is their sum, `gap` how far it is off, as the integral has finite steps.
    """

    values: np.ndarray
    total: float | None = None
    difference: float | None = None

    @property
    def gap(self) -> float | None:
        if self.total is None or self.difference is None:
            return None
        return abs(self.total - self.difference)


def saliency(network: Network, image: np.ndarray, method: str, score: Score) -> Saliency:
    """One of METHODS for one (28, 28) uint8 image. Raises InputError for another method."""
    one_thread()
    pixels = torch.tensor(image, dtype=torch.float32)
    if method == "gradient":
        slope = _slopes(network, pixels[None], score)[0]
        return Saliency((255 * slope).numpy())
    if method == "integrated gradients":
        return _integrated(network, pixels, score)
    if method == "Grad-CAM":
        return Saliency(_grad_cam(network, pixels, score))
    if method == "occlusion":
        return Saliency(_occlusion(network, pixels, score))
    raise InputError(f"method: {method!r} was given; allowed is one of {', '.join(METHODS)}")


def scores(network: Network, pixels: torch.Tensor, score: Score) -> torch.Tensor:
    """(N, 28, 28) float pixels -> (N,) scores, without gradient, in batches."""
    with torch.no_grad():
        parts = [
            score.of(network.model(to_input(some, network.run.config)))
            for some in pixels.split(AT_ONCE)
        ]
    return torch.cat(parts)


def _slopes(network: Network, pixels: torch.Tensor, score: Score) -> torch.Tensor:
    """(N, 28, 28): the gradient of the score by each pixel, per grey level."""
    pixels = pixels.clone().requires_grad_()
    total = score.of(network.model(to_input(pixels, network.run.config))).sum()
    return torch.autograd.grad(total, pixels)[0]


def _integrated(network: Network, pixels: torch.Tensor, score: Score) -> Saliency:
    """By the midpoint rule, along the straight line from black."""
    shares = (torch.arange(STEPS) + 0.5) / STEPS
    path = shares[:, None, None] * pixels
    mean = sum(_slopes(network, some, score).sum(0) for some in path.split(AT_ONCE)) / STEPS
    values = (mean * pixels).double()
    black, here = scores(network, torch.stack([torch.zeros_like(pixels), pixels]), score).tolist()
    return Saliency(values.numpy(), float(values.sum()), here - black)


def _occlusion(network: Network, pixels: torch.Tensor, score: Score) -> np.ndarray:
    """How far the score falls when a black square covers each place."""
    places = range(0, IMAGE_SIDE, STRIDE)
    images = [pixels]
    for y in places:
        for x in places:
            covered, back = pixels.clone(), (PATCH - STRIDE) // 2
            covered[max(0, y - back) : y - back + PATCH, max(0, x - back) : x - back + PATCH] = 0
            images.append(covered)
    here, *fallen = scores(network, torch.stack(images), score)
    fall = here - torch.stack(fallen)
    square = fall.reshape(len(places), len(places))
    return square.repeat_interleave(STRIDE, 0).repeat_interleave(STRIDE, 1).numpy()


def _grad_cam(network: Network, pixels: torch.Tensor, score: Score) -> np.ndarray:
    """The channels of `cam_stage`, weighted by the mean gradient of the score; no negatives."""
    image = to_input(pixels[None], network.run.config).requires_grad_()
    stages = walk(network.model, image)
    value = cam_stage(network.model, stages).value
    slopes = torch.autograd.grad(score.of(stages[-1].value).sum(), value)[0][0]
    weighted = (slopes.mean((1, 2), keepdim=True) * value[0]).sum(0).relu()
    large = F.interpolate(weighted[None, None], size=(IMAGE_SIDE, IMAGE_SIDE), mode="nearest")
    return large[0, 0].detach().numpy()


def cam_stage(model: nn.Module, stages: Sequence[Stage]) -> Stage:
    """The stage that Grad-CAM shows: the last convolution with a map, after its activation.

    Raises InputError for a network without any.
    """
    by_name = {stage.name: stage for stage in stages if not stage.inactive}
    wide = [s for s in by_name.values() if s.kind == "Conv2d" and s.value.shape[-1] > 1]
    if not wide:
        raise InputError("This network has no convolution with a map: Grad-CAM has nothing to show")
    arrays = {name: stage.value[0].detach().numpy() for name, stage in by_name.items()}
    after = [by_name[name] for name in afterwards(model, arrays, wide[-1].name, (0, 0, 0))]
    return next((stage for stage in after if stage.kind != "BatchNorm2d"), wide[-1])
