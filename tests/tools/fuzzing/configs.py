"""Configs that the checks let through, which must train, and files that say they are configs."""

import json
import random
from contextlib import suppress
from pathlib import Path

from mnist_core.cli.train import config_of_file
from mnist_core.config import RunConfig
from mnist_core.errors import InputError
from mnist_core.models import make_config, model_names
from mnist_core.rules import Choice, Number, Whole
from tests.configs import random_images
from tests.tools.fuzzing.part import ODD, part, spoiled


def random_value(chance: random.Random, rule: object) -> object:
    """A value that the rule allows, often at one of its ends."""
    if isinstance(rule, Choice):
        options = rule.options() if callable(rule.options) else rule.options
        return chance.choice(options)
    if isinstance(rule, Whole):
        if rule.only:
            return chance.choice(rule.only)
        return chance.choice((rule.low, rule.high, chance.randint(rule.low, rule.high)))
    assert isinstance(rule, Number)
    return chance.choice((rule.low, rule.high, chance.uniform(rule.low, rule.high)))


def warm_up() -> None:
    """Imports what training needs, which takes longer than a case may."""
    from mnist_core.config import Execution
    from mnist_core.training.trainer import Trainer

    Trainer(make_config(), random_images("MNIST", 2), Execution(threads=1, device="cpu"))


@part("configs", prepare=warm_up, count=50)
def train_a_config(chance: random.Random, _: Path) -> None:
    """Any config that is let through trains two epochs, or diverges."""
    from mnist_core.config import Execution
    from mnist_core.training.results import Diverged
    from mnist_core.training.trainer import Trainer

    names = [name for name in RunConfig.option_names() if name not in ("model", "input_size")]
    fields = {
        name: random_value(chance, RunConfig.metadata(name)["rule"])
        for name in chance.sample(names, chance.randint(0, len(names)))
    }
    with suppress(InputError, Diverged):
        config = make_config(chance.choice(model_names()), **fields)
        data = random_images(config.dataset, chance.randint(1, 20))
        trainer = Trainer(config, data, Execution(threads=1, device="cpu", engine="torch"))
        for _epoch in range(min(2, config.epochs)):
            trainer.run_epoch()


@part("config-files")
def read_a_config(chance: random.Random, folder: Path) -> None:
    """A config.json with odd values, odd fields, or broken bytes."""
    fields = make_config(chance.choice(model_names())).to_dict()
    for name in chance.sample([*fields], chance.randint(0, 3)):
        fields[name] = chance.choice(ODD)
    if chance.random() < 0.2:
        fields[str(chance.choice(ODD))] = chance.choice(ODD)
    content = json.dumps(fields).encode()
    path = folder / "config.json"
    path.write_bytes(spoiled(chance, content) if chance.random() < 0.5 else content)
    config_of_file(path)
