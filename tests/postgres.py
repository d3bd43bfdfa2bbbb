"""A PostgreSQL server of Debian's package on loopback, and Optuna's gRPC proxy in front of it."""

import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.ports import reserved_port

PASSWORD = "not-to-be-shown"
PROXY = """
import sys
from optuna.storages import get_storage, run_grpc_proxy_server
run_grpc_proxy_server(get_storage(sys.argv[1]), host="127.0.0.1", port=int(sys.argv[2]))
"""


def programs() -> Path | None:
    """The folder with initdb and pg_ctl, which Debian keeps out of PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


class Server:
    """A server with its data in `folder`; it refuses to run as root, so another user owns them."""

    def __init__(self, folder: Path, port: int, connections: int) -> None:
        self.folder, self.port, self.connections = folder, port, connections
        self.bin = programs()
        self.as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        folder.mkdir(parents=True)
        password = folder / "password"
        password.write_text(PASSWORD)
        if self.as_user:
            for path in (folder, password):
                shutil.chown(path, "postgres")
        self.run("initdb", "-U", "lab", "-A", "scram-sha-256", "--no-sync", f"--pwfile={password}")

    def run(self, program: str, *arguments: str) -> None:
        command = [*self.as_user, str(self.bin / program), "-D", str(self.folder / "data")]
        log = self.folder.parent / "postgres.log"
        with log.open("ab") as output:
            subprocess.run(
                [*command, *arguments], check=True, stdout=output, stderr=output, cwd="/"
            )

    def start(self) -> None:
        options = f"-p {self.port} -h 127.0.0.1 -k {self.folder} -N {self.connections}"
        self.run("pg_ctl", "-w", "-l", str(self.folder / "log"), "-o", options, "start")

    def stop(self) -> None:
        self.run("pg_ctl", "-w", "-m", "fast", "stop")

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://lab:{PASSWORD}@127.0.0.1:{self.port}/postgres"


@contextmanager
def postgres(folder: Path, connections: int = 100):
    """The server, which is stopped at the end. Its folder must be one that all may enter."""
    with reserved_port() as port:
        server = Server(folder, port, connections)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _wait_for(port: int, process: subprocess.Popen) -> None:
    """Until the process listens, by when it has reached its database."""
    for _ in range(600):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        assert process.poll() is None, "the proxy has ended"
        time.sleep(0.1)
    raise AssertionError("the proxy does not listen")


@contextmanager
def grpc_proxy(server: Server):
    """The URL of a proxy process in front of the server's database."""
    with reserved_port() as port:
        process = subprocess.Popen([sys.executable, "-c", PROXY, server.url, str(port)])
        try:
            _wait_for(port, process)
            yield f"grpc://127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait()
