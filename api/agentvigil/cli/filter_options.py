"""Makes command-line options of what a list of the API takes, so that neither has a filter that the other lacks."""

import functools
import inspect
from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, TypeVar, get_args, get_origin

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo

_Command = TypeVar("_Command", bound=Callable[..., Any])

_OF_PAGES: Final = frozenset({"limit", "cursor"})


def filter_options(
    model: type[BaseModel],
    defaults: Mapping[str, str] = MappingProxyType({}),
    without: Collection[str] = (),
) -> Callable[[_Command], _Command]:
    """Decorate a click command with an option for each field of ``model`` but those of pages and ``without``.

    The command gets ``params``, the parameters for the API; what was not given, and has no default, is not in it.
    Values are checked by whoever answers.
    """
    fields = {
        name: field for name, field in model.model_fields.items() if name not in _OF_PAGES and name not in without
    }

    def decorate(command: _Command) -> _Command:
        @functools.wraps(command)
        def with_params(*arguments: Any, **options: Any) -> Any:
            given = {name: options.pop(name) for name in fields}
            params = {
                name: list(value) if isinstance(value, tuple) else value
                for name, value in given.items()
                if value not in (None, ())
            }
            return command(*arguments, params=params, **options)

        wrapped: Any = with_params
        for name, field in reversed(fields.items()):
            wrapped = _option(name, field, defaults.get(name))(wrapped)
        decorated: _Command = wrapped
        return decorated

    return decorate


def _option(name: str, field: FieldInfo, default: str | None) -> Callable[[_Command], _Command]:
    is_repeatable = _contains(field.annotation, lambda kind: get_origin(kind) is list or kind is list)
    choices = _choices(field.annotation)
    described = field.description or ("again for more" if is_repeatable else "")
    return click.option(
        f"--{name.replace('_', '-')}",
        name,
        type=click.Choice(choices) if choices else click.STRING,
        metavar=None if choices else _unit(name),
        multiple=is_repeatable,
        default=default,
        show_default=default is not None,
        help=_sentence(described),
    )


def _choices(annotation: Any) -> list[str]:
    if annotation is bool or bool in get_args(annotation):
        return ["true", "false"]
    found: list[str] = []

    def collect(kind: Any) -> bool:
        if inspect.isclass(kind) and issubclass(kind, StrEnum):
            found.extend(choice.value for choice in kind)
        return False

    _contains(annotation, collect)
    return found


def _contains(annotation: Any, is_it: Callable[[Any], bool]) -> bool:
    return is_it(annotation) or any(_contains(part, is_it) for part in get_args(annotation))


def _sentence(text: str) -> str:
    first = text.partition(" ")[0]
    start = text[:1].upper() + text[1:] if first.isalpha() else text
    return f"{start.removesuffix('.')}." if text else ""


def _unit(name: str) -> str:
    if name in ("since", "until"):
        return "TIME"
    return {"usd": "USD", "ms": "MS"}.get(name.rpartition("_")[2], "TEXT")
