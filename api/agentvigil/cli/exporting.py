"""``agentvigil export``: rows as files, which are there whole or not at all."""

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

import click
from pydantic import BaseModel

from agentvigil.api.exports.filters import FileFormat, FindingExport, RunExport, SpanExport, StepExport
from agentvigil.cli.api_access import Api, Params
from agentvigil.cli.asking import asks_the_api
from agentvigil.cli.exit_codes import CannotRun
from agentvigil.cli.filter_options import filter_options

_QUIET_S: Final = 1.0
"""How long an export may take before it is said how far it is."""
_TOLD_EVERY_S: Final = 0.5


@click.group()
def export() -> None:
    """Export runs, steps, spans or findings, all that match, as CSV, JSON Lines or Parquet.

    A file is there when it is whole: until then it has another name, and none is left if the export breaks off. Without
    --output it goes to stdout.

    \b
    agentvigil export runs --output runs.parquet
    agentvigil export steps --since 7d --failed true --output failed.csv
    agentvigil export spans --trace 4bf92f3577b34da6a3ce929d0e0e4736 --format jsonl | jq .SpanName
    """


def _command(rows: str, model: type[BaseModel]) -> click.Command:
    @click.command(
        rows,
        help=f"Export {rows} of the last day, or of another time, all that match, in no order.\n\n"
        f"\b\nagentvigil export {rows} --output {rows}.csv\n"
        f"agentvigil export {rows} --since 2026-11-01 --until 2026-12-01 --format jsonl | gzip > {rows}.jsonl.gz",
    )
    @asks_the_api()
    @filter_options(model, defaults={"since": "24h"}, without=("format",))
    @click.option(
        "--format",
        "file_format",
        type=click.Choice([kind.value for kind in FileFormat]),
        help="Kind of the file; else as the name of --output ends, or csv.",
    )
    @click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="File to write; else stdout.")
    def command(api: Api, params: Params, *, file_format: str | None, output: Path | None) -> None:
        if output is None and sys.stdout.isatty():
            raise click.UsageError("give --output FILE, or send it on: a terminal is no place for an export")
        wanted = file_format or _format_of(output)
        pieces = _told(api.stream(f"/v1/exports/{rows}", {**params, "format": wanted}))
        if output is None:
            for piece in pieces:
                sys.stdout.buffer.write(piece)
            return
        try:
            with _whole(output) as file:
                file.writelines(pieces)
            size = output.stat().st_size
        except OSError as exc:
            raise CannotRun(f"can not write {output}: {exc.strerror or exc}") from exc
        click.echo(f"{output}: {_size(size)}", err=True)

    return command


for _rows, _model in (("runs", RunExport), ("steps", StepExport), ("spans", SpanExport), ("findings", FindingExport)):
    export.add_command(_command(_rows, _model))


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[BinaryIO]:
    """Yield a file that has the name ``path`` once all went well, and is gone if anything did not."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.chmod(0o666 & ~_umask())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _told(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield ``pieces``, and say on a terminal how much there was, if it takes long."""
    if not sys.stderr.isatty():
        yield from pieces
        return
    said_s, size, has_said = time.monotonic() + _QUIET_S - _TOLD_EVERY_S, 0, False
    try:
        for piece in pieces:
            size += len(piece)
            yield piece
            if time.monotonic() - said_s >= _TOLD_EVERY_S:
                said_s, has_said = time.monotonic(), True
                click.echo(f"\r{_size(size)}", err=True, nl=False)
    finally:
        if has_said:
            click.echo(f"\r{'':20}\r", err=True, nl=False)


def _format_of(output: Path | None) -> str:
    kind = output.suffix.lower().removeprefix(".") if output else ""
    return kind if kind in list(FileFormat) else FileFormat.CSV.value


def _size(size: int) -> str:
    scaled = float(size)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if scaled < 1024 or unit == "GiB":
            break
        scaled /= 1024
    return f"{size} bytes" if unit == "bytes" else f"{scaled:.1f} {unit}"
