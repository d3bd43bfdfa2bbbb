"""The chains of the zoo as layers to start from. Loads without torch."""

from mnist_core.config import CUSTOM, RunConfig
from mnist_core.dataset_specs import dataset_spec
from mnist_core.layers.revise import with_activation, with_classes, with_dropout
from mnist_core.models.registry import make_config, model_names
from mnist_core.models.stats import shipped_stats

RATE = 0.5  # of dropout in the stored texts


def chains() -> tuple[str, ...]:
    """The networks whose layers are known as text."""
    known = shipped_stats().networks
    return tuple(name for name in model_names() if "layers" in known.get(name, {}))


def start_from(model: str, config: RunConfig) -> RunConfig:
    """A network of one's own with the layers of one of `chains`, trained as `config` says.

    Activation, rate of dropout and input size are those of the chain's first recipe.
    """
    recipe = make_config(model)
    text = shipped_stats().networks[model]["layers"]
    text = with_dropout(with_activation(text, recipe.activation), recipe.dropout / RATE)
    text = with_classes(text, dataset_spec(config.dataset).num_classes)
    fields = {"input_size": recipe.input_size, "fit": recipe.fit, "scaling": recipe.scaling}
    return config.replace(model=CUSTOM, layers=text, **fields)
