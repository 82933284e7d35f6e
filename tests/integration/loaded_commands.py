"""``agentvigil`` in processes of its own that need not load it: each is forked from one that has everything loaded.

Loading takes most of what a start takes, is the same each time, and tests start hundreds. What is loaded here starts no
engine, which no fork would survive. From there on a process is one as any other, to the end of its interpreter, with
files, variables, a working directory and an exit code of its own. That the command starts without all this is what
:data:`~server_process.AGENTVIGIL` is for.

Fork servers by ``multiprocessing`` end their children without the end of an interpreter, which is where an engine that
still works shows.
"""

import contextlib
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import IO, Final

_MOST_BYTES: Final = 1 << 20


class LoadedCommands:
    """A process that has all commands loaded, and others that become them; its own ends with this one."""

    def __init__(self) -> None:
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                # -P: without this folder in the path, in which a program of its own does not look.
                [sys.executable, "-P", __file__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                # NumPy would start threads, which no fork survives either.
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            )

    def start(
        self,
        arguments: list[str],
        stdin: IO[bytes],
        stdout: IO[bytes],
        stderr: IO[bytes],
        variables: Mapping[str, str],
        cwd: Path | None = None,
    ) -> "Started":
        """Start ``agentvigil`` with ``arguments``, and with no variables but ``variables``."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            asked = json.dumps([arguments, dict(variables), str(cwd or Path.cwd())])
            files = [stdin.fileno(), stdout.fileno(), stderr.fileno(), theirs.fileno()]
            socket.send_fds(self._ours, [asked.encode()], files)
        return Started(ours)

    def stop(self) -> None:
        """End the one that others are forked from; those go on."""
        self._ours.close()
        self._process.wait()


class Started:
    """A process of :class:`LoadedCommands`; what is here does what it does in :class:`subprocess.Popen`."""

    def __init__(self, told: socket.socket) -> None:
        self._told = told
        self.pid = self._number()
        self._returncode: int | None = None

    def poll(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self._returncode

    def wait(self, timeout: float | None = None) -> int:
        if self._returncode is None:
            if not select.select([self._told], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("agentvigil", timeout or 0)
            self._returncode = self._number()
            self._told.close()
        return self._returncode

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _number(self) -> int:
        told = self._told.recv(100)
        assert told, "the process that commands are forked from has ended"
        return int(told)


def _become(arguments: list[str], variables: dict[str, str], cwd: str, files: list[int]) -> None:
    """Make this process what one that was started with all this would be."""
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(variables)
    sys.argv = ["agentvigil", *arguments]


def _fork_until_nobody_asks(asking: socket.socket) -> bool:
    """Return True in a process that has become what was asked for, False in this one at the end."""
    while True:
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        asked, files, _, _ = socket.recv_fds(asking, _MOST_BYTES, 4)
        if not asked:
            return False
        if os.fork() == 0:
            asking.close()
            pid = os.fork()
            if pid == 0:
                os.close(files.pop())
                _become(*json.loads(asked), files)
                return True
            # This one waits for the end of that one.
            with socket.socket(fileno=files.pop()) as telling:
                for file in files:
                    os.close(file)
                telling.send(b"%d" % pid)
                telling.send(b"%d" % os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
            os._exit(0)
        for file in files:
            os.close(file)


def _main() -> None:
    from agentvigil.cli import commands, main

    gc.disable()
    for module in sorted(set(commands._MODULES.values())):
        import_module(module)
    gc.freeze()
    with socket.socket(fileno=int(sys.argv[1])) as asking:
        is_one_of_them = _fork_until_nobody_asks(asking)
    if is_one_of_them:
        main()


if __name__ == "__main__":
    _main()
