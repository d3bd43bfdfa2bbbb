"""Makes the best layers and settings of a study the frontier's network of its size."""

from typing import Any

from mnist_core.files import write_json
from mnist_core.models import frontier
from mnist_core.reproduce.making import finished_study
from mnist_core.runs.store import RunStore
from mnist_core.sweeps.table import read_table

NOT_OF_A_RECIPE = ("dataset", "model", "seed", "layers")


def keep_network(store: RunStore, study: str, size: frontier.Size) -> dict[str, Any]:
    """Writes the study's winner into models/frontier.json; returns what was written.

    Validation accuracy alone has chosen it. Raises NotFound without that study in the store, and
    LabError for one that is not done.
    """
    table, best = finished_study(store, study)
    config, kept = table.config(best), frontier.winners(frontier.PATH)
    studies = sorted({*kept.get(size.name, {}).get("studies", ()), study})
    tables = [found for name in studies if (found := read_table(store, name))]
    fields = {k: v for k, v in config.used().items() if k not in NOT_OF_A_RECIPE}
    head, _, _ = config.layers.replace(config.activation.lower(), "activation").rpartition(", ")
    winner = {
        "studies": studies,
        "trials": sum(len(found.rows) for found in tables),
        "epochs": config.epochs,
        "layers": f"{head}, dropout, linear classes",
        "fields": fields | {"epochs": size.epochs, "activation": "ReLU", "dropout": 0.0},
    }
    write_json(frontier.PATH, {**kept, size.name: winner})
    return {"study": study, **winner}
