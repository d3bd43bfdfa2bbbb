"""A run as one file of plain PyTorch, which needs nothing of this package."""

from __future__ import annotations

from importlib import resources
from string import Template

from mnist_core.config import RunConfig
from mnist_core.dataset_specs import IMAGE_SIDE, dataset_spec
from mnist_core.export.layer_source import chain_source
from mnist_core.export.weights import WEIGHTS, model_of, weights_file
from mnist_core.models import model_spec, model_title
from mnist_core.runs.run import Run

AUGMENT = '''
def moved(images):
    """Each image turned by up to {rotation:g}° and shifted by up to {shift:g} pixels, at random."""
    angle, right, down = torch.rand(3, len(images)).mul(2).sub(1)
    angle = angle * math.radians({rotation:g})
    right, down = (place * {shift:g} * 2 / images.shape[-1] for place in (right, down))
    cos, sin = angle.cos(), angle.sin()
    rows = [cos, -sin, -cos * right + sin * down, sin, cos, -sin * right - cos * down]
    moves = torch.stack(rows, 1).view(-1, 2, 3)
    grid = F.affine_grid(moves, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, align_corners=False)

'''
CENTRE = """    image = torch.zeros(1, 28, 28, dtype=torch.uint8)
    places = torch.arange(20.0)
    mass = [(small.sum(axis) * places).sum() / small.sum() for axis in (1, 0)]
    top, left = (max(0, min(8, int(14.5 - centre))) for centre in mass)
    image[0, top : top + 20, left : left + 20] = small.round()
    return image
"""
SKIP = """            if len(index) < 2:  # which batch normalisation cannot normalise
                continue
"""
RESIZES = {
    "pad": "    images = F.pad(images, (2, 2, 2, 2))\n",
    "resize": '    images = F.interpolate(images, size=(32, 32), mode="bilinear").round()\n',
}


def script(run: Run) -> dict[str, bytes]:
    """The script and its weights. Raises InputError for a network that is no chain of layers."""
    source = script_source(run)
    return {script_name(run): source.encode(), WEIGHTS: weights_file(run)}


def script_name(run: Run) -> str:
    return run.id.replace("-", "_") + ".py"


def script_source(run: Run) -> str:
    """The script's text."""
    config, spec = run.config, dataset_spec(run.config.dataset)
    standard = config.scaling == "standard"
    text = resources.files(__package__).joinpath("script_template.txt").read_text("utf-8")
    mean, std = (spec.mean, spec.std) if standard else (0.5, 0.5)
    box = IMAGE_SIDE if spec.filled else 20
    parts = {
        "TITLE": f"{model_title(config.model)}, trained on {config.dataset}.",
        "ABOUT": _about(run),
        "FILE": script_name(run),
        "WEIGHTS": WEIGHTS,
        "CLASSES": repr(list(spec.classes)),
        "FILES": "(\n" + "".join(f'    "{name}",\n' for name in spec.files) + ")",
        "MEAN": str(mean),
        "STD": str(std),
        "EPOCHS": str(config.epochs),
        "BATCH": str(config.batch_size),
        "SEED": str(config.seed),
        "SIZE": str(config.input_size),
        "COUNT": str(spec.num_classes),
        "LAYERS": chain_source(model_of(run)),
        "RESIZE": "" if config.input_size == IMAGE_SIDE else RESIZES[config.fit],
        "SKIP": SKIP if model_spec(config.model).smallest_batch > 1 else "",
        "BOX": str(box),
        "CENTRED": "" if spec.filled else "\n    Its centre of mass is put in the middle of 28×28.",
        "PLACE": "    return small.round().byte()[None]\n" if spec.filled else CENTRE,
        **_training(config),
    }
    return Template(text).substitute(parts)


def _about(run: Run) -> str:
    found = run.summary
    if found.test_accuracy is None:
        return "Its training was not finished; the weights are those of its best epoch so far."
    return (
        f"Test accuracy {found.test_accuracy:.2%}, at the best of {run.config.epochs} epochs by "
        "validation accuracy."
    )


def _training(config: RunConfig) -> dict[str, str]:
    """What the recipe makes of the script's gaps."""
    moves = bool(config.rotation or config.shift)
    augment = AUGMENT.format(rotation=config.rotation, shift=config.shift)
    smoothing, per_step = config.label_smoothing, config.schedule == "one-cycle"
    plateau = config.schedule == "plateau" and config.gamma != 1
    argument = "accuracy" if plateau else ""
    return {
        "AUGMENT": augment if moves else "",
        "MATH": "import math\n" if moves else "",
        "MOVED": "moved(resized(images[index]))" if moves else "resized(images[index])",
        "SMOOTHING": f", label_smoothing={smoothing:g}" if smoothing else "",
        "OPTIMIZER": _optimizer(config),
        "SCHEDULE": _schedule(config),
        "AFTER_STEP": "            schedule.step()\n" if per_step else "",
        "AFTER_EPOCH": "" if per_step else f"        schedule.step({argument})\n",
    }


def _optimizer(config: RunConfig) -> str:
    momentum = f"momentum={config.momentum:g}, " if config.optimizer in ("SGD", "RMSprop") else ""
    return (
        f"torch.optim.{config.optimizer}(network.parameters(), lr={config.lr:g}, {momentum}"
        f"weight_decay={config.weight_decay:g})"
    )


def _schedule(config: RunConfig) -> str:
    """As training.optim.make_scheduler."""
    kinds = {
        "step": f"StepLR(optimizer, {config.step_size}, {config.gamma:g})",
        "cosine": f"CosineAnnealingLR(optimizer, EPOCHS, {config.min_lr:g})",
        "one-cycle": f"OneCycleLR(optimizer, {config.lr:g}, EPOCHS * steps, cycle_momentum=False)",
        "plateau": f'ReduceLROnPlateau(optimizer, "max", {config.gamma:g}, {config.patience}, '
        f"min_lr={config.min_lr:g})",
    }
    constant = "LambdaLR(optimizer, lambda _: 1.0)"
    flat = config.schedule == "plateau" and config.gamma == 1
    return constant if flat else kinds.get(config.schedule, constant)
