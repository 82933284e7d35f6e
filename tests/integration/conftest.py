"""Fixtures for tests that run the product as its users do, in processes of its own."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

# Test modules are imported by path, so what they share has to be made importable.
sys.path.insert(0, str(Path(__file__).parent))

from server_process import Server, keep_prepared_home_in


@pytest.fixture(scope="session", autouse=True)
def one_prepared_home(tmp_path_factory: pytest.TempPathFactory) -> None:
    """All processes of a run of pytest-xdist share one."""
    folder = tmp_path_factory.getbasetemp()
    keep_prepared_home_in(folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder)


@pytest.fixture(scope="module")
def start_shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """A function that starts a server for all tests of a module, and returns when it is ready.

    Whatever still runs at the end is killed.
    """
    with _servers(tmp_path_factory) as start:
        yield start


@pytest.fixture
def start_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """The same for one test: one that nobody asks any more costs the others time."""
    with _servers(tmp_path_factory) as start:
        yield start


@contextlib.contextmanager
def _servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    with contextlib.ExitStack() as stack:

        def start(data: Path, *arguments: str, **options: Any) -> Server:
            server = Server(data, tmp_path_factory.mktemp("log"), *arguments, **options)
            stack.callback(server.kill)
            server.start()
            return server

        yield start
