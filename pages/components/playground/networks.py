"""The networks of the playground: one of each for all visitors, loaded when first needed."""

from collections.abc import Iterable

from mnist_core.errors import LabError
from mnist_core.evaluation.network import Network, load_network
from mnist_core.runs.run import Run
from pages.components.shared.cache import cached, weights_of


@cached(weights_of, spinner="Loading the network …")
def network(run: Run) -> Network:
    """The run's network, which nothing may change. Raises LabError when it cannot be loaded."""
    return load_network(run)


def networks(runs: Iterable[Run]) -> tuple[list[Network], dict[str, str]]:
    """The networks of these runs, and by its id for each run without one, why."""
    ready, reasons = [], {}
    for run in runs:
        try:
            ready.append(network(run))
        except LabError as error:
            reasons[run.id] = str(error)
    return ready, reasons
