"""Layers as text: what they mean, what they cost, and what is wrong with them."""

import random

import pytest
import torch

from mnist_core.config import RunConfig
from mnist_core.errors import InputError
from mnist_core.inspection.profiling import profile
from mnist_core.inspection.receptive_field import last_convolution_field, trace_fields
from mnist_core.layers.chain import check, receptive_field, smallest_batch
from mnist_core.layers.kinds import LayersError
from mnist_core.layers.text import Words, canonical, parse
from mnist_core.models import check_config, create_model, create_model_for, make_config
from mnist_core.models.registry import own_steps
from mnist_core.models.stats import shipped_stats
from tests.unit.inspection.gradient_oracle import GradientOracle
from tests.unit.layers.random_layers import broken_text, random_text

RANDOM = 500


@pytest.mark.parametrize(
    "text, same",
    [
        ("Conv 8 5×5,ReLU;max pool 2\nflatten, Linear 10", "conv 8 5x5, relu, pool 2, flatten, "),
        ("conv 8", "conv 8 3x3"),
        ("conv 8 5 padding same no bias stride 2", "conv 8 5x5 stride 2 padding 2 no bias"),
        ("pool 3 stride 3", "pool 3"),
        ("avgpool 2x1 stride 2", "average pool 2x1 stride 2"),
        ("bn, gap, dropout .25, leaky relu", "batchnorm, global average, dropout 0.25, leakyrelu"),
        ("activation, dropout, linear classes", "tanh, dropout 0.1, linear 47"),
    ],
)
def test_ways_to_write_it_have_one_canonical_text(text, same):
    found = canonical(text, Words(47, "Tanh", 0.1))
    assert found.startswith(same) and canonical(found) == found


def test_the_oracles_agree_on_random_networks():
    """Shapes, parameters, MACs and receptive fields: of torch, the graph walk and the gradient."""
    rng = random.Random(17)
    for number in range(RANDOM):
        config = make_config(layers=random_text(rng))
        assert RunConfig.from_dict(config.to_dict()).id == config.id
        steps, model = own_steps(config), create_model_for(config)
        costs = profile(model)
        assert [s.shape for s in steps] == [layer.shape for layer in costs], config.layers
        assert [s.parameters for s in steps] == [layer.parameters for layer in costs]
        assert [s.macs for s in steps] == [layer.macs for layer in costs]
        if number % 5 == 0:
            assert receptive_field(steps) == last_convolution_field(model)
            for step, field in zip(steps, trace_fields(model).values(), strict=True):
                assert field.whole or (step.field, step.jump) == (field.size, field.jump)
        if number % 50 == 0:
            the_gradient_agrees(model, steps)
        with torch.no_grad():
            model.train()(torch.rand(smallest_batch(steps), 1, 28, 28))


def the_gradient_agrees(model, steps):
    """Of a unit in the middle, as far as its field is inside the image."""
    oracle = GradientOracle(model)
    for (name, _), step in zip(model.named_children(), steps, strict=True):
        if len(step.shape) == 3 and not step.whole:
            top, left, bottom, right = oracle.box(name, step.shape[1] // 2, step.shape[2] // 2)
            assert bottom - top <= step.field[0] and right - left <= step.field[1]
            if top > 0 and bottom < 28:
                assert bottom - top == step.field[0]


def test_a_broken_network_gives_one_sentence():
    rng = random.Random(18)
    for _ in range(RANDOM):
        text = broken_text(rng)
        with pytest.raises(InputError) as error:
            make_config("custom", layers=text)
        words = str(error.value)
        assert words.startswith("layers: ") and "\n" not in words and len(words) < 300, words


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("pool 9, conv 8 5x5", "5×5 does not fit into 3×3: add padding or drop a pooling"),
        ("conv 8 3x3, linear 10", "linear takes a list of numbers, not 8 maps of 26×26"),
        ("flatten, conv 8 3x3", "conv takes maps, and flatten has made a list of them"),
        ("flatten, linear 12", "ends in 12 numbers and the data set has 10 classes: end with"),
        ("conv 8 3x3", "the network ends in 8 maps of 26×26: end with flatten, linear 10"),
        ("convv 8, flatten", "layer 1 (convv 8): convv is no kind of layer; did you mean conv?"),
        ("flatten, linear 4096, linear 4096, linear 10", "parameters are too many; allowed are 10"),
        ("conv 1000 1x1, conv 1000 3x3", "the network ends in"),
    ],
)
def test_a_mistake_says_where_and_what_to_do(text, sentence):
    with pytest.raises(LayersError) as error:
        check(parse(text), 28, 10)
    assert sentence in str(error.value)


def test_memory_and_batch_normalisation_bound_the_batch():
    with pytest.raises(InputError, match="batch_size: 10000 was given; .* memory allows [0-9]+$"):
        make_config(layers="conv 64 3x3, relu, flatten, linear 10", batch_size=10_000)
    with pytest.raises(InputError, match="batch_size: 1 was given; custom takes at least 2"):
        make_config(layers="flatten, linear 5, batchnorm, linear 10", batch_size=1)


def test_layers_are_a_part_of_the_id_of_a_network_of_ones_own_only():
    one, two = (make_config(layers=f"conv {n}, flatten, linear 10") for n in (2, 3))
    assert one.id != two.id and one.group != two.group and one.id.startswith("mnist-custom-")
    assert one.replace(activation="Tanh", dropout=0.5).id == one.id  # the layers name theirs
    assert check_config(one) is one
    with pytest.raises(InputError, match="layers: lenet5 has its own"):
        make_config("lenet5", layers="flatten, linear 10")


@pytest.mark.parametrize(
    "layers, marked",
    [
        ("conv 2 3x3, pool 2, flatten, linear 10", []),
        ("conv 2 27x27, pool 2, conv 2 3x3 padding 1, flatten, linear 10", [2]),
        ("conv 2 3x3, global average, conv 2 1x1, flatten, linear 10", []),
    ],
)
def test_a_window_over_units_that_see_the_whole_image_is_marked(layers, marked):
    steps = own_steps(make_config(layers=layers))
    assert [place for place, step in enumerate(steps) if step.sees_no_more] == marked


@pytest.mark.parametrize("name", shipped_stats().networks)
def test_every_chain_of_the_zoo_is_the_same_network_as_text(name):
    chain, side = create_model(name, "ReLU", 0.5), make_config(name).input_size
    written = make_config(layers=shipped_stats().networks[name]["layers"], input_size=side)
    assert [map_.shape for map_ in profile(chain, side)] == [s.shape for s in own_steps(written)]
    model = create_model_for(written)
    model.load_state_dict(dict(zip(model.state_dict(), chain.state_dict().values(), strict=True)))
    image = torch.rand(3, 1, side, side)
    assert torch.equal(model.eval()(image), chain.eval()(image))
