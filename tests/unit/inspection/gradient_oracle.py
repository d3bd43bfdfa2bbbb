"""The receptive field as it can be measured: where the gradient of one unit is not zero.

Independent of how `mnist_core.inspection.receptive_field` works: no graph is walked. Hooks catch
each module's output in a copy of the network in which nothing cancels or blocks (positive weights
and input, no biases, averages for maxima, identities for activations), and autograd does the rest.
"""

import copy

import torch
import torch.nn.functional as F
from torch import nn

LINEAR = (
    *(nn.Conv2d, nn.Linear, nn.AvgPool2d, nn.AdaptiveAvgPool2d),
    *(nn.Flatten, nn.Upsample, nn.ZeroPad2d),
)


class SumPool(nn.Module):
    """A max pool's window, summed: average pooling has no dilation."""

    def __init__(self, pool: nn.MaxPool2d):
        super().__init__()
        kernel = pool.kernel_size
        self.kernel = (kernel, kernel) if isinstance(kernel, int) else kernel
        self.settings = (pool.stride, pool.padding, pool.dilation)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        channels = x.shape[1]
        return F.conv2d(x, x.new_ones(channels, 1, *self.kernel), None, *self.settings, channels)


def transparent(layer: nn.Module) -> nn.Module:
    """A layer with the same connections that lets the gradient of every input through."""
    if isinstance(layer, nn.MaxPool2d) and layer.dilation not in (1, (1, 1)):
        return SumPool(layer)
    if isinstance(layer, nn.MaxPool2d):
        return nn.AvgPool2d(layer.kernel_size, layer.stride, layer.padding, layer.ceil_mode)
    if isinstance(layer, nn.AdaptiveMaxPool2d):
        return nn.AdaptiveAvgPool2d(layer.output_size)
    own = not type(layer).__module__.startswith("torch.")
    return layer if own or isinstance(layer, LINEAR) else nn.Identity()


def transparent_copy(model: nn.Module) -> nn.Module:
    """A copy of the network in float64 through which gradients only add up."""
    probe = copy.deepcopy(model).double().eval()
    for parent in list(probe.modules()):
        for name, child in parent.named_children():
            if not any(child.children()):
                setattr(parent, name, transparent(child))
    with torch.no_grad():
        for name, parameter in probe.named_parameters():
            parameter.zero_() if name.endswith("bias") else parameter.uniform_(0.1, 1.0)
    return probe


class GradientOracle:
    """The measured box of any unit of any module without children.

    `outputs` maps the module's qualified name to its output, with the batch of one.
    """

    def __init__(self, model: nn.Module, input_size: int = 28, channels: int = 1):
        probe = transparent_copy(model)
        self.outputs: dict[str, torch.Tensor] = {}
        for name, module in probe.named_modules():
            if not any(module.children()):
                module.register_forward_hook(self._catch(name))
        image = torch.rand(1, channels, input_size, input_size, dtype=torch.float64) + 0.1
        self.image = image.requires_grad_()
        probe(self.image)

    def _catch(self, name: str):
        def hook(module, args, output):
            self.outputs[name] = output

        return hook

    def box(self, stage: str, row: int = 0, col: int = 0) -> tuple[int, int, int, int]:
        """(top, left, bottom, right) of the unit, over all channels; of all units if flat."""
        unit = self.outputs[stage][0]
        unit = unit[:, row, col] if unit.dim() == 3 else unit
        (gradient,) = torch.autograd.grad(unit.sum(), self.image, retain_graph=True)
        rows, cols = gradient[0].sum(0).nonzero(as_tuple=True)
        if not len(rows):
            return (0, 0, 0, 0)
        return tuple(int(n) for n in (rows.min(), cols.min(), rows.max() + 1, cols.max() + 1))
