"""The same checks for every registered network. A new network gets them all by registering."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from mnist_core.config import ACTIVATIONS
from mnist_core.errors import InputError
from mnist_core.inspection.profiling import figures
from mnist_core.inspection.receptive_field import last_convolution_field, trace_fields
from mnist_core.models import create_model, make_config, model_names, model_spec, recipe_of
from mnist_core.models.registry import Recipe, register_model
from mnist_core.training.trainer import weights_to_bytes
from tests.documents import added_network
from tests.unit.inspection.gradient_oracle import GradientOracle

PUBLISHED_PARAMETERS = {
    "lenet5-1998": 61_706,
    "lenet5": 61_706,
    "lenet": 44_426,
    "myfullconvnet": 74_290,
    "mynetv1": 9_172_350,
    "mynetv2": 75_098,
    "myvggnet": 287_642,
    "pytorch-example": 1_199_882,
    "medium": 7_632,
    "small": 5_616,
    "ultrasmall": 4_464,
}
PUBLISHED_FIELDS = {"medium": 32, "small": 20, "ultrasmall": 35, "lenet5": 14}


@pytest.fixture(params=model_names())
def name(request):
    return request.param


def images(name, count=4):
    side = make_config(name).input_size
    return torch.rand(count, 1, side, side, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("classes", [2, 10, 26])
def test_gives_a_logit_for_each_class(name, classes):
    model = create_model(name, num_classes=classes).eval()
    assert model(images(name)).shape == (4, classes)
    assert model(images(name, 1)).shape == (1, classes)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_takes_every_activation(name, activation):
    model = create_model(name, activation)
    used = {type(m).__name__ for m in model.modules()} & set(ACTIVATIONS)
    assert used == {activation}
    assert torch.isfinite(model(images(name))).all()


def test_the_dropout_rate_is_set_everywhere(name):
    rates = [m.p for m in create_model(name, dropout=0.4).modules() if isinstance(m, nn.Dropout)]
    assert rates and max(rates) == 0.4
    quiet = create_model(name, dropout=0.0)
    assert all(m.p == 0 for m in quiet.modules() if isinstance(m, nn.Dropout))


def test_gradient_reaches_every_parameter(name):
    torch.manual_seed(0)
    model = create_model(name, dropout=0.0)
    F.cross_entropy(model(images(name, 16)), torch.arange(16) % 10).backward()
    for parameter, tensor in model.named_parameters():
        assert tensor.grad is not None and tensor.grad.abs().sum() > 0, parameter


@pytest.mark.parametrize("published", PUBLISHED_PARAMETERS)
def test_has_the_published_number_of_parameters(published):
    found = figures(create_model(published), make_config(published).input_size)
    assert found["parameters"] == PUBLISHED_PARAMETERS[published]


def test_receptive_fields_agree_with_the_gradient(name):
    side = make_config(name).input_size
    model = create_model(name)
    oracle = GradientOracle(model, side)
    for stage in [s for s in trace_fields(model, side).values() if s.kind.startswith("Conv")]:
        height, width = stage.shape[-2:]
        for row, column in {(0, 0), (height // 2, width // 2), (height - 1, width - 1)}:
            box = oracle.box(stage.name, row, column)
            assert stage.box(row, column) == box, (stage.name, row, column)


@pytest.mark.parametrize("published", PUBLISHED_FIELDS)
def test_reports_the_published_receptive_field(published):
    model, side = create_model(published), make_config(published).input_size
    assert last_convolution_field(model, side) == PUBLISHED_FIELDS[published]


def test_comes_back_from_its_weights_file(name):
    from safetensors.torch import load

    model, other = create_model(name), create_model(name)
    other.load_state_dict(load(weights_to_bytes(model)))
    assert torch.equal(model.eval()(images(name)), other.eval()(images(name)))
    assert weights_to_bytes(model) == weights_to_bytes(copy.deepcopy(model))


def test_a_few_small_steps_lower_the_loss(name):
    torch.manual_seed(1)
    model = create_model(name, dropout=0.0)
    x, y = images(name, 16), torch.arange(16) % 10
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    losses = []
    for _ in range(8):
        loss = F.cross_entropy(model(x), y)
        losses.append(float(loss.detach()))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses[-1] < losses[0]


def test_its_recipes_are_sound(name):
    for recipe in model_spec(name).recipes:
        config = make_config(name, recipe.name, dataset="KMNIST", seed=5)
        assert recipe_of(config) == recipe.name
        assert all(50 < figure < 100 for figure in recipe.published.values())
        assert bool(recipe.published) == bool(recipe.selection)
    assert recipe_of(make_config(name, lr=0.0123)) is None


def test_the_first_recipe_of_lenet5_is_r1s():
    config = make_config("lenet5")
    assert (config.activation, config.batch_size, config.epochs) == ("SELU", 256, 50)


def test_what_a_network_does_not_take_is_a_sentence_that_lists_what_it_takes():
    with pytest.raises(InputError, match="model: 'lenet6' was given; .*lenet5, medium"):
        create_model("lenet6")
    with pytest.raises(
        InputError, match="recipe: 'fast' was given; lenet5 has reference, .*tutorial"
    ):
        make_config("lenet5", "fast")
    with pytest.raises(InputError, match="input_size: 32 was given; medium takes images of 28"):
        make_config("medium", input_size=32)
    with pytest.raises(InputError, match="batch_size: 1 was given; fast takes at least 2"):
        make_config("fast", batch_size=1)


def test_a_name_is_registered_once():
    recipes = (Recipe("reference", "any", {}),)
    with pytest.raises(ValueError, match="'lenet5' is taken"):
        register_model("lenet5", source="test", recipes=recipes)
    with pytest.raises(ValueError, match="lower-case"):
        register_model("My Net", source="test", recipes=recipes)


@pytest.mark.parametrize("document", ["README.md", ".github/CONTRIBUTING.md"])
def test_the_network_of_a_document_works_as_it_stands_there(document):
    with added_network(document) as name:
        assert make_config(name).lr == 0.1 and recipe_of(make_config(name)) == "reference"
        for classes in (10, 26):
            assert create_model(name, num_classes=classes)(images(name)).shape == (4, classes)
        assert last_convolution_field(create_model(name), make_config(name).input_size) == 5
