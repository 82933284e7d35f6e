"""Makes command-line options of the fields of :class:`~agentvigil.cli.settings.Settings`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

import click
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from agentvigil.cli.settings import Settings, option_of

_Command = TypeVar("_Command", bound=Callable[..., Any])

_SECRETS = ("ingest_key", "key", "hash_key")

SERVER_OPTIONS = tuple(name for name in Settings.model_fields if name not in _SECRETS)
"""Every setting but the keys, which would be seen in a list of processes: they come by variable or by the file."""

STORE_OPTIONS = ("data", "clickhouse", "database", "log_level")

DOCTOR_OPTIONS = ("data", "clickhouse", "database", "otlp_grpc", "otlp_http", "clickhouse_http", "api", "log_level")


def settings_options(names: tuple[str, ...]) -> Callable[[_Command], _Command]:
    """Decorate a click command with ``--config`` and options for the settings ``names``.

    The command takes them as ``**flags`` and builds its settings with :func:`load_settings`.
    """

    def decorate(command: _Command) -> _Command:
        for name in reversed(names):
            command = _option(name, Settings.model_fields[name])(command)
        return click.option(
            "--config",
            type=click.Path(path_type=Path, dir_okay=False),
            envvar="AGENTVIGIL_CONFIG",
            show_envvar=True,
            help="TOML file with settings; flags and variables win over it.",
        )(command)

    return decorate


def load_settings(flags: dict[str, Any]) -> Settings:
    """Return the settings that ``flags`` (as click collected them), environment and file give.

    Raises:
        click.UsageError: if one is not valid, naming its flag and variable.
    """
    config: Path | None = flags.pop("config")
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return Settings.load(config, given)
    except ValidationError as exc:
        raise click.UsageError("\n".join(_explain(error) for error in exc.errors())) from exc
    except (OSError, ValueError) as exc:
        raise click.UsageError(f"can not read the configuration file {config}: {exc}") from exc


def _explain(error: Any) -> str:
    name = str(error["loc"][0]) if error["loc"] else ""
    if name not in Settings.model_fields:
        return f"there is no setting {name!r}; `agentvigil up --help` lists them"
    if name in _SECRETS:
        return f"AGENTVIGIL_{name.upper()}: {error['msg']}"
    return f"{option_of(name)} (AGENTVIGIL_{name.upper()}): {error['msg']}, not {error['input']!r}"


def _option(name: str, field: FieldInfo) -> Callable[[_Command], _Command]:
    default = field.get_default(call_default_factory=True, validated_data={})
    is_repeatable = bool(isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("repeatable"))
    return click.option(
        f"{option_of(name)}/--no-{option_of(name)[2:]}" if field.annotation is bool else option_of(name),
        name,
        type=_type(field.annotation),
        default=None,
        multiple=is_repeatable,
        callback=_joined if is_repeatable else None,
        help=f"{field.description}  [env: AGENTVIGIL_{name.upper()}]"
        + ("" if default is None else f"  [default: {default}]"),
    )


def _joined(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> str | None:
    return ",".join(values) or None


def _type(annotation: Any) -> click.ParamType[Any]:
    if get_origin(annotation) is Literal:
        return click.Choice([str(choice) for choice in get_args(annotation)])
    if annotation is int:
        return click.INT
    if annotation is bool:
        return click.BOOL
    if annotation is Path:
        return click.Path(path_type=Path, file_okay=False)
    return click.STRING
