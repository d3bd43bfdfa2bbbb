"""What is asked of a run while it trains: to pause or to stop."""

from collections.abc import Callable
from dataclasses import dataclass

from mnist_core.runs.folder import RunFolder
from mnist_core.runs.states import RunState

Request = Callable[[], str | None]  # "pause", "stop", or None: go on


class StopRequested(Exception):
    """The run was asked to "pause" or to "stop"."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.state = RunState.PAUSED if what == "pause" else RunState.STOPPED


@dataclass(frozen=True)
class Mailbox:
    """Two ways to ask: a request in the run's folder, or a signal to its process."""

    folder: RunFolder
    signalled: Request = lambda: None

    def check(self) -> None:
        """Raises StopRequested when something was asked, NotFound when the folder is gone."""
        self.folder.check_exists()
        if what := self.signalled() or self.folder.requested():
            raise StopRequested(what)
