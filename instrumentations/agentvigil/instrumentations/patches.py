"""Where an instrumentor takes hold of a framework, and how it lets go.

A patch names a module. Nothing is imported for it: it takes effect when the application imports that module, at once
if it has done so already. Where a framework does not have what a patch names, that patch alone is left out.
"""

import logging
import os
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final, Protocol

import wrapt

from agentvigil.instrumentations.telemetry.guard import report

_LOG: Final = logging.getLogger("agentvigil.instrumentations")


class Patch(Protocol):
    """One hold on a framework."""

    module: str
    """The dotted name of the module whose import it waits for."""

    def apply(self, module: ModuleType) -> None:
        """Take hold. Raises AttributeError if ``module`` does not have what it takes hold of."""

    def undo(self) -> None:
        """Let go, if it had taken hold."""


class Wrapped:
    """A function or method whose calls go through ``wrapper``, which gets ``(wrapped, instance, args, kwargs)``."""

    def __init__(self, module: str, path: str, wrapper: Callable[..., Any]) -> None:
        self.module = module
        self._path = path
        self._wrapper = wrapper
        self._undo: Callable[[], None] = lambda: None

    def apply(self, module: ModuleType) -> None:
        parent, attribute, original = wrapt.resolve_path(module, self._path)
        # Of a class, what it inherits stays with the class that it inherits from.
        is_own = attribute in vars(parent)
        if isinstance(original, wrapt.FunctionWrapper) and original._self_wrapper == self._wrapper:  # noqa: SLF001
            if isinstance(parent, type):
                return  # the same class, which another module shows
            # A copy, made after what it is of was wrapped.
            wrapped, original = original, original.__wrapped__
        else:
            wrapped = wrapt.FunctionWrapper(original, self._wrapper)
            setattr(parent, attribute, wrapped)

        def undo() -> None:
            if vars(parent).get(attribute) is not wrapped:
                return  # somebody has wrapped it after us, and calls ours
            if is_own:
                setattr(parent, attribute, original)
            else:
                delattr(parent, attribute)

        self._undo = undo

    def undo(self) -> None:
        self._undo()

    def __repr__(self) -> str:
        return f"{self.module}.{self._path}"


class Hook:
    """Something else that a framework offers: ``take`` gets the module and returns what lets go again."""

    def __init__(self, module: str, take: Callable[[ModuleType], Callable[[], object]]) -> None:
        self.module = module
        self._take = take
        self._undo: Callable[[], object] = lambda: None

    def apply(self, module: ModuleType) -> None:
        self._undo = self._take(module)

    def undo(self) -> None:
        self._undo()

    def __repr__(self) -> str:
        return f"{self.module}: {self._take.__qualname__}"


class Variable:
    """A variable of the environment, by which a framework is told. A program finds it set before it imports anything.

    ``choose`` gets what it says, or None where it is not set, and returns what it is to say, or None to leave it alone.
    """

    module = "os"

    def __init__(self, name: str, choose: Callable[[str | None], str | None]) -> None:
        self._name = name
        self._choose = choose
        self._before: str | None = None
        self._chosen: str | None = None

    def apply(self, module: ModuleType) -> None:  # noqa: ARG002 - it is not about a module
        self._before = os.environ.get(self._name)
        self._chosen = self._choose(self._before)
        if self._chosen is not None:
            os.environ[self._name] = self._chosen

    def undo(self) -> None:
        if self._chosen is None or os.environ.get(self._name) != self._chosen:
            return  # somebody has set it after us
        if self._before is None:
            del os.environ[self._name]
        else:
            os.environ[self._name] = self._before

    def __repr__(self) -> str:
        return self._name


class Patches:
    """The patches of one instrumentor while it instruments."""

    def __init__(self, patches: list[Patch]) -> None:
        self._applied: list[Patch] = []
        self._is_wanted = True
        for patch in patches:
            self._await(patch)

    def undo(self) -> None:
        """Let go of everything, and of what is imported from now on."""
        self._is_wanted = False
        while self._applied:
            patch = self._applied.pop()
            try:
                patch.undo()
            except Exception as exc:  # noqa: BLE001 - frameworks are full of surprises
                report(f"letting go of {patch!r}", exc)

    def _await(self, patch: Patch) -> None:
        def imported(module: ModuleType) -> None:
            if not self._is_wanted:
                return
            try:
                patch.apply(module)
                self._applied.append(patch)
            except AttributeError:
                _LOG.debug("this version of the framework has no %r; it is left out", patch)
            except Exception as exc:  # noqa: BLE001 - an error here would be one of the application's import
                report(f"patching {patch!r}", exc)

        if patch.module in sys.modules:
            imported(sys.modules[patch.module])
        else:
            wrapt.register_post_import_hook(imported, patch.module)
