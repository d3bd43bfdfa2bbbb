"""Registering data sets, and what follows from a spec."""

import subprocess
import sys

import pytest

from mnist_core.config import RunConfig
from mnist_core.dataset_specs import (
    DatasetSpec,
    check_class_name,
    dataset_names,
    dataset_spec,
    register_dataset,
)
from mnist_core.errors import InputError
from tests.documents import added_dataset


def spec(name="Shapes", classes=("circle", "square"), **fields):
    return DatasetSpec(name, classes, 0.5, 0.5, "shapes", **fields)


@pytest.mark.parametrize(
    "wrong, words",
    [
        (spec("mnist"), "'mnist' is taken"),
        (spec("../elsewhere"), "use letters, digits and dashes"),
        (spec(classes=("one",)), "2 to 256 classes, not 1"),
        (spec(classes=tuple(map(str, range(257)))), "2 to 256 classes, not 257"),
        (spec(classes=("a", "b", "a")), "each class needs a name of its own"),
        (spec(classes=("a", "[b](//c)")), r"class '\[b\]\(//c\)': use up to 40 letters"),
        (spec(classes=("a", "www.b.c")), "class 'www.b.c': use up to 40 letters"),
        (spec(classes=("a", " b")), "class ' b': use up to 40 letters"),
        (spec(classes=("a", "b" * 41)), "use up to 40 letters"),
    ],
)
def test_what_cannot_be_registered(wrong, words):
    before = dataset_names()
    with pytest.raises(ValueError, match=words):
        register_dataset(wrong)
    assert dataset_names() == before


def test_names_of_classes_in_any_script():
    for name in ("お o", "हिन्दी", "Ankle boot", "T-shirt/top", "😀", "ä_1"):
        check_class_name(name)


def test_what_it_expects_is_its_hint_or_names_its_classes():
    assert spec(noun="shape").expects == "Expects one shape: circle, square."
    assert spec(hint="Draw!").expects == "Draw!"


def test_configs_know_a_data_set_while_it_is_registered():
    with added_dataset(".github/CONTRIBUTING.md") as name:
        config = RunConfig(dataset=name.upper())
        assert config.dataset == name and config.id.startswith(f"{name.lower()}-")
        assert dataset_spec(name).num_classes == 26


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(InputError, match="'CIFAR' was given; allowed is one of MNIST, Fashion"):
        dataset_spec("CIFAR")


def test_the_files_that_register_data_sets_load_first_whatever_is_imported():
    code = "import sys, mnist_core.config; print('mnist_core.data' in sys.modules)"
    code += "; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.stdout.split() == ["True", "False"], done.stderr
