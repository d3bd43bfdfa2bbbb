"""Which process runs which tests: a file is one process's work, as with `--dist loadfile`.

All files of tests in a browser are three processes' work. So three have a server and a browser,
and no more; the others compute while these wait.
"""

from xdist.scheduler import LoadFileScheduling

BROWSERS = 3  # processes


def in_browser(nodeid: str) -> bool:
    return nodeid.startswith("tests/browser/")


class ByFile(LoadFileScheduling):
    """`_split_scope` names the unit of work that a test belongs to."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return (
            f"browser {self._browser_files.index(file) % BROWSERS}" if in_browser(nodeid) else file
        )

    @property
    def _browser_files(self) -> list[str]:
        split = super()._split_scope
        return sorted({split(nodeid) for nodeid in self.collection or () if in_browser(nodeid)})
