"""``python -m agentvigil.cli.fleet``: play the fleet against any OTLP endpoint."""

import argparse
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Final

from opentelemetry.sdk.trace.export import SpanExporter

from agentvigil.cli.fleet.history import history
from agentvigil.cli.fleet.playing import Player
from agentvigil.cli.fleet.script import DEFAULT_SEED, NOMINAL_RATE, Script

_PROTOCOLS: Final = {"grpc": "http://127.0.0.1:4317", "http/protobuf": "http://127.0.0.1:4318"}
_EXPORT_TIMEOUT_S: Final = 20.0
_CLOSE_TIMEOUT_S: Final = 20.0
# A sleep is not cut short by a signal (PEP 475), so this is how long a stop may go unnoticed.
_LONGEST_SLEEP_S: Final = 0.1

_EXAMPLE: Final = """\
example:
  python -m agentvigil.cli.fleet --endpoint http://127.0.0.1:4317 --rate 5 --duration 30

Prints one line of JSON on stdout when it ends, with what was really delivered. Exit code 1: some spans were not.
"""


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m agentvigil.cli.fleet",
        description="Play a fleet of simulated agents, as an ordinary OpenTelemetry program, against an OTLP endpoint.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--endpoint",
        default=os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"),
        help="base URL of the receiver (default: port 4317 or 4318 of 127.0.0.1) [OTEL_EXPORTER_OTLP_ENDPOINT]",
    )
    parser.add_argument(
        "--protocol",
        choices=_PROTOCOLS,
        default=os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        help="default: grpc [OTEL_EXPORTER_OTLP_PROTOCOL]",
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--duration", type=_positive, metavar="SECONDS", help="stop after so long (default: never)")
    length.add_argument("--runs", type=int, metavar="N", help="stop after so many runs")
    parser.add_argument(
        "--rate",
        type=float,
        default=NOMINAL_RATE,
        metavar="RUNS_PER_SECOND",
        help=f"default: {NOMINAL_RATE:g}; 0 is as fast as possible, turns of a conversation then overlap in time",
    )
    parser.add_argument(
        "--seed", type=int, default=DEFAULT_SEED, metavar="N", help=f"which story is told (default: {DEFAULT_SEED})"
    )
    parser.add_argument(
        "--history",
        type=int,
        default=0,
        metavar="DAYS",
        help="first tell so many days of the past of two more agents, as fast as possible (default: 0)",
    )
    parser.add_argument(
        "--key",
        default=os.environ.get("AGENTVIGIL_INGEST_KEY"),
        help="ingest key, sent as Authorization: Bearer [AGENTVIGIL_INGEST_KEY]",
    )
    parser.add_argument(
        "--until-stdin-closes", action="store_true", help="stop when stdin ends, as it does when who started us is gone"
    )
    arguments = parser.parse_args(argv)
    if arguments.protocol not in _PROTOCOLS:  # argparse does not check defaults
        parser.error(f"OTEL_EXPORTER_OTLP_PROTOCOL is {arguments.protocol!r}, not one of {', '.join(_PROTOCOLS)}")
    if arguments.rate < 0:
        parser.error("--rate is below 0")
    if arguments.history < 0:
        parser.error("--history is below 0")
    arguments.endpoint = arguments.endpoint or _PROTOCOLS[arguments.protocol]
    return arguments


def _exporters(endpoint: str, protocol: str, key: str | None) -> Callable[[], SpanExporter]:
    headers = {"authorization": f"Bearer {key}"} if key else None
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter

        return lambda: GrpcExporter(endpoint=endpoint, headers=headers, timeout=_EXPORT_TIMEOUT_S)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter

    url = f"{endpoint.rstrip('/')}/v1/traces"
    return lambda: HttpExporter(endpoint=url, headers=headers, timeout=_EXPORT_TIMEOUT_S)


class _OncePerMessage(logging.Filter):
    """Seven exporters with one trouble say it once, not every few seconds."""

    def __init__(self) -> None:
        super().__init__()
        self._said: set[object] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.msg in self._said:
            return False
        self._said.add(record.msg)
        return True


def _log_to_stderr() -> None:
    to_stderr = logging.StreamHandler()
    to_stderr.setFormatter(logging.Formatter("fleet: %(message)s"))
    to_stderr.addFilter(_OncePerMessage())
    logging.basicConfig(level=logging.WARNING, handlers=[to_stderr])


class _Stop:
    """Set by SIGINT and SIGTERM, and by the end of stdin if that was asked for.

    A plain flag and no ``threading.Event``: a signal handler must not take a lock that what it interrupts may hold.
    """

    def __init__(self) -> None:
        self.asked = False

    def ask(self, _signal: int | None = None, _frame: FrameType | None = None) -> None:
        self.asked = True
        logging.disable()  # cut-off exports are counted, and nobody wants to read them now

    def ask_when_stdin_closes(self) -> None:
        sys.stdin.read()
        self.ask()

    def sleep_until(self, moment: float) -> None:
        while not self.asked and (left_s := moment - time.monotonic()) > 0:
            time.sleep(min(left_s, _LONGEST_SLEEP_S))


def _tell_history(player: Player, seed: int, days: int, stop: _Stop, ends: float) -> int:
    runs = 0
    for run, ended_ns in history(seed, time.time_ns(), days):
        if stop.asked or time.monotonic() >= ends:
            break
        player.play(run, ended_ns)
        runs += 1
        while player.is_behind and not stop.asked and time.monotonic() < ends:
            stop.sleep_until(time.monotonic() + 0.02)
    return runs


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _arguments(argv)
    _log_to_stderr()
    stop = _Stop()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop.ask)
    if arguments.until_stdin_closes:
        threading.Thread(target=stop.ask_when_stdin_closes, daemon=True).start()

    script = Script(arguments.seed, rate=arguments.rate or NOMINAL_RATE)
    player = Player(_exporters(arguments.endpoint, arguments.protocol, arguments.key))
    started = time.monotonic()
    ends = started + arguments.duration if arguments.duration else float("inf")
    past_runs = _tell_history(player, arguments.seed, arguments.history, stop, ends)
    began = time.monotonic()
    runs = 0
    while not stop.asked and time.monotonic() < ends and (arguments.runs is None or runs < arguments.runs):
        player.play(script.next_run(), time.time_ns())
        runs += 1
        if arguments.rate:
            stop.sleep_until(min(began + runs / arguments.rate, ends))
        while player.is_behind and not stop.asked and time.monotonic() < ends:
            stop.sleep_until(time.monotonic() + 0.02)
    player.close(_CLOSE_TIMEOUT_S)
    result = {
        "runs": past_runs + runs,
        "spans": player.delivered_spans,
        "seconds": round(time.monotonic() - started, 3),
        "failed_exports": player.failed_exports,
    }
    print(json.dumps(result), flush=True)
    return 1 if player.undelivered_spans else 0


if __name__ == "__main__":
    sys.exit(main())
