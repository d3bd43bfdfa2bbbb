"""A run's config as the query of a URL, and back. Loads without torch."""

from collections.abc import Mapping
from contextlib import suppress

from mnist_core.config import RunConfig
from mnist_core.errors import InputError
from mnist_core.formatting import number
from mnist_core.models import check_config, grid, make_config, nearest_recipe, recipe_of


def query_of(config: RunConfig) -> dict[str, str]:
    """The query for a config: its recipe, the four sliders, and every other field that differs.

    `config_from_query` turns it into a config with the same id; of a fine-tuned run into that of
    the run that it comes from. Cheap enough for every rerun of
    a page: the recipe of a config is looked for once.
    """
    config = config.parent
    recipe, changes = nearest_recipe(config)
    fields = {name: getattr(config, name) for name in (*grid.AXES, *changes)}
    query = {"dataset": config.dataset, "model": config.model, "recipe": recipe}
    return query | {name: number(value) for name, value in fields.items()}


def config_from_query(query: Mapping[str, str]) -> tuple[RunConfig, list[str]]:
    """The config that a URL's query describes, and a sentence for each part that is not valid.

    What the query leaves out, or gives a value that is not valid, comes from its recipe or,
    without one, from the network's opening config.
    """
    complaints = []
    config = grid.opening_config()
    try:
        config = grid.opening_config(query.get("model", config.model))
        if "recipe" in query:
            config = make_config(config.model, query["recipe"])
    except InputError as error:
        complaints.append(f"{error}; showing {config.model}, {recipe_of(config)}")
    given = {
        name: query[name] for name in RunConfig.option_names() if name in query and name != "model"
    }
    with suppress(InputError):  # all at once: one field's bounds may depend on another's value
        return check_config(config.replace(**given)), complaints
    for name, value in given.items():
        try:
            config = check_config(config.replace(**{name: value}))
        except InputError as error:
            complaints.append(f"{error}; showing {getattr(config, name)}")
    return config, complaints
