"""A run as one file of plain PyTorch, which needs nothing of this package."""

from __future__ import annotations

from importlib import resources
from string import Template

from mnist_core.config import RunConfig
from mnist_core.dataset_specs import IMAGE_SIDE, dataset_spec
from mnist_core.export.augment_source import augment_source
from mnist_core.export.layer_source import chain_source
from mnist_core.export.weights import WEIGHTS, model_of, weights_file
from mnist_core.models import network_title, smallest_batch
from mnist_core.runs.run import Run

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
STEP = "            optimizer.step()\n"
WARM_STEP = """            rates = [group["lr"] for group in optimizer.param_groups]
            for group in optimizer.param_groups:
                group["lr"] *= min(1, (done + 1) / (warm_steps + 1))
            optimizer.step()
            for group, rate in zip(optimizer.param_groups, rates):
                group["lr"] = rate
"""
AVERAGE = '''
def average_up(average, network, done):
    """Takes the network's weights, after `done` + 1 steps, into their running average."""
    kept = min({ema:g}, (1 + done) / (10 + done))
    for old, new in zip(average.state_dict().values(), network.state_dict().values()):
        old.lerp_(new, 1 - kept) if old.is_floating_point() else old.copy_(new)

'''
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
        "TITLE": f"{network_title(config)}, trained on {config.dataset}.",
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
        "SKIP": SKIP if smallest_batch(config) > 1 else "",
        "BOX": str(box),
        "CENTRED": "" if spec.filled else "\n    Its centre of mass is put in the middle of 28×28.",
        "PLACE": "    return small.round().byte()[None]\n" if spec.filled else CENTRE,
        **_training(config),
    }
    return Template(text).substitute(parts)


def _about(run: Run) -> str:
    found = run.summary
    if run.config.tuned:
        return (
            f"These weights were {run.config.tuned.in_words()}, which are not part of this file: "
            "`train`\ntrains the network that it was fine-tuned from."
        )
    if found.test_accuracy is None:
        return "Its training was not finished; the weights are those of its best epoch so far."
    return (
        f"Test accuracy {found.test_accuracy:.2%}, at the best of {run.config.epochs} epochs by "
        "validation accuracy."
    )


def _training(config: RunConfig) -> dict[str, str]:
    """What the recipe makes of the script's gaps."""
    augment = augment_source(config)
    smoothing, per_step = config.label_smoothing, config.schedule == "one-cycle"
    plateau = config.schedule == "plateau" and config.gamma != 1
    argument = "accuracy" if plateau else ""
    return {
        "AUGMENT": augment,
        "MATH": "import math\n" if "math." in augment else "",
        "MOVED": "changed(resized(images[index]))" if augment else "resized(images[index])",
        "SMOOTHING": f", label_smoothing={smoothing:g}" if smoothing else "",
        "OPTIMIZER": _optimizer(config),
        "SCHEDULE": _schedule(config),
        **_steps(config),
        "AFTER_EPOCH": "" if per_step else f"        schedule.step({argument})\n",
    }


def _steps(config: RunConfig) -> dict[str, str]:
    """What the loop over steps does: warm-up, the step, averaging, and the schedule's own step."""
    per_step, averages = config.schedule == "one-cycle", bool(config.ema)
    warms = bool(config.warmup) and not per_step
    before = {
        "    average = copy.deepcopy(network)\n": averages,
        f"    warm_steps = round({config.warmup:g} * batches)\n": warms,
        "    done = 0  # steps\n": averages or warms,
    }
    after = {
        "            average_up(average, network, done)\n": averages,
        "            schedule.step()\n": per_step,
        "            done += 1\n": averages or warms,
    }
    return {
        "COPY": "import copy\n" if averages else "",
        "AVERAGE": AVERAGE.format(ema=config.ema) if averages else "",
        "KEPT": "average" if averages else "network",
        "BEFORE": "".join(line for line, there in before.items() if there),
        "STEP": WARM_STEP if warms else STEP,
        "AFTER_STEP": "".join(line for line, there in after.items() if there),
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
