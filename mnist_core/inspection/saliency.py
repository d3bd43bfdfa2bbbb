"""Why this answer? Four maps of what in a 28×28 image speaks for a class, and what against it.

- gradient: K. Simonyan, A. Vedaldi, A. Zisserman, Deep inside convolutional networks, 2013.
- integrated gradients: M. Sundararajan, A. Taly, Q. Yan, Axiomatic attribution for deep networks,
  ICML 2017; from the black image to this one.
- Grad-CAM: R. R. Selvaraju et al., Grad-CAM: visual explanations from deep networks via
  gradient-based localization, ICCV 2017.
- occlusion: M. D. Zeiler, R. Fergus, Visualizing and understanding convolutional networks, 2014.

All of them explain a score: a class's logit, or how far it is above another class's. Networks are
shared between visitors; nothing here writes to one or leaves a hook or a gradient on it.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional as F

from mnist_core.data.transforms import to_input
from mnist_core.errors import InputError
from mnist_core.evaluation.network import Network, one_thread
from mnist_core.inspection.feature_maps import free_name
from mnist_core.inspection.unit import afterwards

if TYPE_CHECKING:
    from torch import nn

METHODS = ("gradient", "integrated gradients", "Grad-CAM", "occlusion")
SIDE = 28
STEPS = 64  # of the integral
AT_ONCE = 32  # images in one batch
PATCH, STRIDE = 6, 2  # pixels: of the black square of occlusion, and between its places


@dataclass(frozen=True)
class Score:
    """What is explained: the logit of class `target`, less that of class `against` if given."""

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

    Of integrated gradients, which ought to sum to `difference` (the score of the image less that
    of the black one): `total` is their sum, and `gap` how far it is off, by the integral's steps.
    """

    method: str
    values: np.ndarray
    total: float | None = None
    difference: float | None = None

    @property
    def gap(self) -> float | None:
        return None if self.total is None else abs(self.total - self.difference)


def saliency(network: Network, image: np.ndarray, method: str, score: Score) -> Saliency:
    """One of METHODS for one (28, 28) uint8 image. Raises InputError for another method."""
    one_thread()
    pixels = torch.tensor(image, dtype=torch.float32)
    if method == "gradient":
        slope = _slopes(network, pixels[None], score)[0]
        return Saliency(method, (255 * slope).numpy())
    if method == "integrated gradients":
        return _integrated(network, pixels, score)
    if method == "Grad-CAM":
        return Saliency(method, _grad_cam(network, pixels, score))
    if method == "occlusion":
        return Saliency(method, _occlusion(network, pixels, score))
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
    """(N, 28, 28): by how much the score grows for each pixel that gets one grey level brighter."""
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
    return Saliency("integrated gradients", values.numpy(), float(values.sum()), here - black)


def _occlusion(network: Network, pixels: torch.Tensor, score: Score) -> np.ndarray:
    """How far the score falls when a black square lies over each place."""
    places = range(0, SIDE, STRIDE)
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
    """The last convolution's channels, each weighted by the mean slope of the score; no negatives.

    Of the convolutions whose maps are larger than one pixel, after its activation.
    """
    stages = stage_outputs(network.model, to_input(pixels[None], network.run.config))
    name = cam_stage(network.model, stages)
    logits = list(stages.values())[-1]
    slopes = torch.autograd.grad(score.of(logits).sum(), stages[name])[0][0]
    weighted = (slopes.mean((1, 2), keepdim=True) * stages[name][0]).sum(0).relu()
    large = F.interpolate(weighted[None, None], size=(SIDE, SIDE), mode="nearest")
    return large[0, 0].detach().numpy()


def cam_stage(model: nn.Module, stages: dict[str, Any]) -> str:
    """The stage whose map Grad-CAM shows. Raises InputError for a network without any."""
    wide = [n for n, v in stages.items() if n != "input" and v.ndim == 4 and v.shape[-1] > 1]
    kinds = {n: type(_submodule(model, n)).__name__ for n in wide}
    last = next((n for n in reversed(wide) if kinds[n] == "Conv2d"), None)
    if last is None:
        raise InputError("This network has no convolution with a map: Grad-CAM has nothing to show")
    arrays = {n: v[0].detach().numpy() for n, v in stages.items()}
    after = afterwards(model, arrays, last, (0, 0, 0))
    return next((a.stage for a in after if a.kind != "BatchNorm2d"), last)


def stage_outputs(model: nn.Module, value: torch.Tensor) -> dict[str, torch.Tensor]:
    """Every stage's output with its way back to the input; names as in explain.feature_maps."""
    from torch import fx, nn

    from mnist_core.inspection.feature_maps import IDLE
    from mnist_core.inspection.receptive_field import trace_graph

    value = value.detach().requires_grad_()
    stages = {"input": value}
    if isinstance(model, nn.Sequential):
        for name, module in model._modules.items():
            value = module(value.clone())  # it may work in place
            if type(module).__name__ not in IDLE:
                stages[free_name(name, stages)] = value
        return stages
    twin = copy.deepcopy(model)  # tracing touches modules that another thread may be using
    for module in twin.modules():
        if hasattr(module, "inplace"):
            module.inplace = False

    class Recorder(fx.Interpreter):
        def run_node(self, node: fx.Node) -> Any:
            value = super().run_node(node)
            module = twin.get_submodule(node.target) if node.op == "call_module" else None
            idle = type(module).__name__ in IDLE
            if node.op.startswith("call_") and isinstance(value, torch.Tensor) and not idle:
                stages[free_name(node.target if module else node.name, stages)] = value
            return value

    Recorder(twin, graph=trace_graph(twin)).run(value)
    return stages


def _submodule(model: nn.Module, stage: str) -> nn.Module | None:
    try:
        return model.get_submodule(stage.split("#")[0])
    except AttributeError:
        return None
