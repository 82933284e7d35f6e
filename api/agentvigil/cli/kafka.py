"""``agentvigil kafka``."""

from collections.abc import Callable
from typing import Final, TypeVar, get_args

import click

from agentvigil.cli.settings import KeepDays
from agentvigil.storage.access import DEFAULT_PROJECT
from agentvigil.storage.access.errors import LabelInvalid
from agentvigil.storage.access.labels import check_label
from agentvigil.storage.hash_key import hash_key_statement
from agentvigil.storage.kafka import TOPICS, KafkaSource, kafka_statements
from agentvigil.storage.signals import SIGNALS

_Command = TypeVar("_Command", bound=Callable[..., None])
_KEEP_DAYS: Final = [str(days) for days in get_args(KeepDays)]


def _topic_options(command: _Command) -> _Command:
    for signal in reversed(SIGNALS):
        command = click.option(
            f"--{signal.name}-topic", default=TOPICS[signal], show_default=True, help=f"The topic of {signal.name}."
        )(command)
    return command


def _label(_: click.Context, __: click.Parameter, text: str) -> str:
    try:
        return check_label("project", text)
    except LabelInvalid as exc:
        raise click.BadParameter(str(exc)) from exc


@click.command()
@click.option("--brokers", required=True, help="Kafka's brokers as ClickHouse reaches them, with commas between.")
@_topic_options
@click.option("--group", default="agentvigil", show_default=True, help="ClickHouse's consumer group.")
@click.option("--project", default=DEFAULT_PROJECT, show_default=True, callback=_label, help="Whose telemetry it is.")
@click.option("--keep-days", type=click.Choice(_KEEP_DAYS), default="90", show_default=True, help="Retention in days.")
def kafka(*, brokers: str, group: str, project: str, keep_days: str, **topics: str) -> None:
    """Print the SQL by which a ClickHouse server fetches OTLP from Kafka into AgentVigil's tables.

    The tables have to be there (`agentvigil migrate`). What is already made stays as it is: to change it, drop the
    tables and views that are called kafka_….

    \b
    agentvigil kafka --brokers kafka-1:9092,kafka-2:9092 | clickhouse client --database default
    """
    source = KafkaSource(
        brokers,
        topics={signal: topics[f"{signal.name}_topic"] for signal in SIGNALS},
        group=group,
        project=project,
        keep_days=int(keep_days),
    )
    for statement in (hash_key_statement(), *kafka_statements(source)):
        click.echo(f"{statement};\n")
