"""The exported script trains as the lab does: the same changes of images, the same steps."""

import pytest
import torch

from mnist_core.config import Execution, RunConfig
from mnist_core.data.augment import augment
from mnist_core.data.datasets import Dataset, Split, load
from mnist_core.dataset_specs import dataset_spec
from mnist_core.export.augment_source import augment_source
from mnist_core.export.script import script_source
from mnist_core.training.trainer import Trainer, train
from tests.stores import add_run
from tests.unit.data.test_augment import EVERYTHING

CHANGES = ({"rotation": 9, "shift": 1}, {"zoom": 0.3}, {"elastic": 1.25}, {"cutout": 9}, EVERYTHING)


@pytest.mark.parametrize("changes", CHANGES, ids=lambda changes: " ".join(changes))
def test_it_changes_images_as_training_does(changes):
    config, names = RunConfig(**changes), {}
    imports = "import math\nimport torch\nfrom torch.nn import functional as F\n"
    exec(imports + augment_source(config), names)
    images = torch.rand(6, 1, 28, 28, generator=torch.Generator().manual_seed(0)) * 255
    torch.manual_seed(4)
    theirs = names["changed"](images)
    torch.manual_seed(4)
    torch.testing.assert_close(theirs, augment(images, config), rtol=1e-3, atol=0.05)


def test_images_that_stay_as_they_are_need_no_function():
    assert augment_source(RunConfig()) == ""


@pytest.mark.parametrize(
    "changes",
    [
        {"warmup": 0.7, "ema": 0.6, "schedule": "cosine", "epochs": 2},
        {"ema": 0.9, "schedule": "one-cycle"},
        {"warmup": 1.4, "schedule": "step", "epochs": 2},
    ],
)
def test_it_ends_with_the_weights_of_the_lab(changes, lab, tmp_path, monkeypatch, capsys):
    """Both take the images in the order of the file, so that they take the same steps."""

    def in_order(count, generator=None):
        return torch.arange(count)

    monkeypatch.setattr(torch, "randperm", in_order)
    fields = {"optimizer": "SGD", "epochs": 1, "batch_size": 32, "lr": 0.02, **changes}
    run = add_run(lab, "lenet", **fields)
    names = {"__name__": "script", "__file__": str(tmp_path / "script.py")}
    exec(script_source(run), names)
    data = load("MNIST")
    images = torch.cat([data.validation.images, data.train.images])
    labels = torch.cat([data.validation.labels, data.train.labels])
    names["read_part"] = lambda *_: (images, labels)
    names["train"](tmp_path, tmp_path / "out.pt")
    assert "epoch 1: validation accuracy" in capsys.readouterr().out

    splits = [Split(images[40:], labels[40:]), Split(images[:40], labels[:40])]
    ours = Dataset(dataset_spec("MNIST"), *splits, splits[1], "")
    trainer = Trainer(run.config, ours, Execution(threads=1, device="cpu", engine="torch"))
    best = {}
    for result in train(trainer):
        if trainer.best is result:
            with trainer.averaged():
                best = {k: v.clone() for k, v in trainer.model.state_dict().items()}
    found = torch.load(tmp_path / "out.pt")
    for name, value in best.items():
        torch.testing.assert_close(found[name], value, rtol=1e-3, atol=1e-4)
