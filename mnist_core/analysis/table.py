"""The table of runs: a data frame with a row for each run. Loads without torch."""

import functools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from mnist_core.analysis.describe import as_title, describe
from mnist_core.config import CUSTOM
from mnist_core.data.idx import part_sizes
from mnist_core.errors import LabError
from mnist_core.evaluation.statistics import wilson
from mnist_core.models import (
    model_names,
    model_spec,
    nearest_recipe,
    network_of,
    network_title,
    recipe_of,
)
from mnist_core.models.frontier_rows import PUBLISHED
from mnist_core.models.stats import shipped_stats, stats_for
from mnist_core.runs.about import About, about
from mnist_core.runs.bundle import BundledRun
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore

OF_CONFIG = ("group", "dataset", "model", "epochs", "seed")
COUNTS = ("parameters", "receptive_field", "macs", "weights_bytes", "epochs_done", "best_epoch")
WHOLE = (*COUNTS, "test_images", "epochs", "seed", "blocks")
FIGURES = ("validation_accuracy", "test_accuracy", "seconds", "latency_ms")
TEXT: tuple[str, ...] = ("id", "group", "dataset", "model", "network", "title", "recipe", "kind")
TEXT += ("state", "device", "engine")
COLUMNS = (
    *TEXT,
    "label",
    "tags",
    "note",
    "search",
    *FIGURES,
    "test_low",
    "test_high",
    *WHOLE,
    "bundled",
)
LONGEST = 30  # characters of the layers in a label
FINE_TUNED = "fine-tuned"  # the kind of such runs
NOTHING_SAID = About()
OF_PUBLISHED = ("model", "title", "source", "recipe", "dataset", "test_accuracy", "selection")
SIZES = ("parameters", "macs", "latency_ms", "receptive_field")


def runs_table(store: RunStore, runs: Sequence[Run]) -> pd.DataFrame:
    """A row for each run, in the given order, with COLUMNS.

    Accuracies are fractions; a missing figure is NA. `network` tells networks apart, also several
    of one's own, whose `title` is the label that somebody gave them. `kind` is the name of the
    recipe that the run follows to the letter, FINE_TUNED, or "" for settings of one's own. Latency
    and blocks are those of the network, and so is the size of the weights where a run keeps none.
    Of the store only one file of labels for each data set is read, which tells the number of test
    images.
    """
    images: dict[tuple[str, str | None], int] = {}
    rows = []
    for run in runs:
        data = (run.config.dataset, run.summary.data_fingerprint)
        if run.summary.test_accuracy is not None and data not in images:
            images[data] = _test_images(store, run)
        row = _finished_row if run.finished else _row
        rows.append(_with_words(row(run, images.get(data)), run))
    table = _titled(pd.DataFrame({name: [row.get(name) for row in rows] for name in COLUMNS}))
    kinds = {name: "Int64" for name in WHOLE}
    kinds |= {name: "float64" for name in (*FIGURES, "test_low", "test_high")}
    return table.astype(kinds | {"bundled": "bool"})


def _titled(table: pd.DataFrame) -> pd.DataFrame:
    """With labels as titles of networks of one's own: a run's own, else the network's first one."""
    labels = table["label"].map(as_title).where(table["model"] == CUSTOM, "")
    first = labels[labels != ""].groupby(table["network"]).first()
    labels = labels.where(labels != "", table["network"].map(first)).fillna("")
    return table.assign(title=table["title"].where(labels == "", labels))


def _with_words(row: Mapping[str, Any], run: Run) -> Mapping[str, Any]:
    """With what people say of the run, which may change at any time."""
    said = NOTHING_SAID if isinstance(run, BundledRun) else about(run)
    if said == NOTHING_SAID:
        return row
    return {
        **row,
        "label": said.label,
        "tags": ", ".join(said.tags),
        "note": "; ".join(filter(None, (said.note, row["note"]))),
        "search": f"{row['search']} {said.words().lower()}",
    }


@functools.lru_cache(maxsize=10_000)  # each rerun of a page asks for all runs again
def _finished_row(run: Run, images: int | None) -> Mapping[str, Any]:
    """`_row` of a run that does not change any more."""
    return _row(run, images)


def _row(run: Run, images: int | None) -> dict[str, Any]:
    config, summary = run.config, run.summary
    network = stats_for(config)
    row: dict[str, Any] = {
        "id": run.id,
        **{name: getattr(config, name) for name in OF_CONFIG},
        "epochs": config.own_epochs,
        "network": network_of(config),
        "title": network_title(config),
        "recipe": describe(config),
        "kind": FINE_TUNED if config.tuning else recipe_of(config) or "",
        "state": run.state.value,
        "device": summary.device or "",
        "engine": summary.engine or "",
        "note": "; ".join(filter(None, (summary.note, summary.data_note, summary.engine_note))),
        "bundled": isinstance(run, BundledRun),
        "label": "",
        "tags": "",
        **{name: _whole(getattr(summary, name)) for name in COUNTS},
        **{name: getattr(summary, name) for name in FIGURES if name != "latency_ms"},
        **{name: network.get(name) for name in ("latency_ms", "blocks")},
    }
    if row["weights_bytes"] is None and summary.epochs_done:
        row["weights_bytes"] = network.get("weights_bytes")
    if summary.test_accuracy is not None and images:
        interval = wilson(round(min(max(summary.test_accuracy, 0), 1) * images), images)
        row |= {"test_images": images, "test_low": interval.low, "test_high": interval.high}
    words = [row[name] for name in (*TEXT, "note")]
    words += [config.optimizer, config.activation, config.schedule, f"seed {config.seed}"]
    if config.model in model_names():  # a recipe's name in commands is not the one on the page
        words.append(nearest_recipe(config)[0])
    return row | {"search": " ".join(words).lower()}


def _whole(value: float | None) -> int | None:
    """A count as a whole number; None for what cannot be a count."""
    return None if value is None or not 0 <= value < 2**53 else round(value)


def _test_images(store: RunStore, run: Run) -> int:
    try:
        return len(store.labels(run)["test"])
    except (LabError, KeyError):
        return part_sizes(run.config.dataset).test


def select(
    table: pd.DataFrame, dataset: str | None = None, models: Iterable[str] = (), words: str = ""
) -> pd.DataFrame:
    """The rows of a data set and of some networks (default: all) that contain every word."""
    keep = pd.Series(True, index=table.index)
    if dataset:
        keep &= table["dataset"] == dataset
    if models:
        keep &= table["model"].isin(list(models))
    for word in words.lower().split():
        keep &= table["search"].str.contains(word, regex=False)
    return table[keep].reset_index(drop=True)


def best_networks(rows: pd.DataFrame, limit: int) -> list[str]:
    """The ids of the best row of each network, the best network first; best as in `best_first`."""
    ranked = best_first(rows[rows["epochs_done"].fillna(0) > 0])
    return ranked.drop_duplicates("network")["id"].head(limit).tolist()


def best_first(table: pd.DataFrame) -> pd.DataFrame:
    """Finished runs first, then by validation accuracy, which is what runs are chosen by."""
    done = table["test_accuracy"].notna()
    order = table.assign(done=done).sort_values(
        ["done", "validation_accuracy", "id"], ascending=[False, False, True], kind="stable"
    )
    return order.drop(columns="done").reset_index(drop=True)


def labels_of(table: pd.DataFrame) -> dict[str, str]:
    """id -> a short name: the network, and what else is needed to tell these runs apart."""
    names = table["title"] + (" · " + table["dataset"] if table["dataset"].nunique() > 1 else "")
    layers = _other_layers(names, table)
    for more in (layers, table["recipe"], "seed " + table["seed"].astype(str)):
        tells_apart = more.groupby(names).transform("nunique") > 1
        names = names.mask(tells_apart, names + " · " + more)
    number = names.groupby(names).cumcount() + 1
    names = names.mask(number > 1, names + " · run " + number.astype(str))
    return dict(zip(table["id"], names, strict=True))


def _other_layers(names: pd.Series, table: pd.DataFrame) -> pd.Series:
    """The layers in which networks of one's own with the same name differ; "" of all others."""
    found = pd.Series("", index=table.index)
    own = table[table["model"] == CUSTOM]
    for _, networks in own.groupby(names[own.index])["network"]:
        if networks.nunique() > 1:
            layers = {each: Counter(map(str.strip, each.split(","))) for each in set(networks)}
            shared = functools.reduce(lambda a, b: a & b, layers.values())
            mine = {each: ", ".join((parts - shared).elements()) for each, parts in layers.items()}
            found[networks.index] = networks.map(mine).map(_shortened).replace("", "other layers")
    return found


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def known_figures(table: pd.DataFrame) -> dict[str, Mapping[str, Any]]:
    """model -> SIZES: the shipped ones or, for a network without them, those of a run."""
    ran = table[table["parameters"].notna()].drop_duplicates("model").set_index("model")
    of_runs = {model: {name: ran.at[model, name] for name in SIZES} for model in ran.index}
    return {**of_runs, **shipped_stats().networks}


def published(datasets: Iterable[str], figures: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """The published accuracies for these data sets and the networks in `figures`."""
    rows = [
        (model, spec.title, spec.source, recipe.name, dataset)
        + (recipe.published[dataset] / 100, recipe.selection)
        + tuple(figures[model][name] for name in SIZES)
        for model, spec in ((name, model_spec(name)) for name in model_names() if name in figures)
        for recipe in spec.recipes
        for dataset in datasets
        if dataset in recipe.published
    ]
    return pd.DataFrame(rows, columns=[*OF_PUBLISHED, *SIZES])


def published_elsewhere(datasets: Iterable[str]) -> pd.DataFrame:
    """The accuracies that others published of small networks, as rows of `published`."""
    wanted = set(datasets)
    rows = [
        {
            "title": f"A network with {point.parameters:,} parameters",
            "source": "none of the lab's networks",
            "dataset": point.dataset,
            "test_accuracy": point.accuracy / 100,
            "selection": point.selection,
            "parameters": point.parameters,
        }
        for point in PUBLISHED
        if point.dataset in wanted and point.parameters
    ]
    return pd.DataFrame(rows, columns=[*OF_PUBLISHED, *SIZES])
