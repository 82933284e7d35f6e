"""Looks whether a server could listen where it is going to, and who is in its way."""

from typing import Final

from pydantic import ValidationError

from agentvigil.api.operations import Health
from agentvigil.cli.calling import HttpCaller, NoAnswer, Trust, callable_address
from agentvigil.cli.doctor.findings import Finding, ok, trouble
from agentvigil.cli.doctor.greeting import Protocol, Spoken, Unreachable, greet
from agentvigil.cli.doctor.instance import INTERFACES, is_clickhouse_server
from agentvigil.cli.listening import CannotListen, bind
from agentvigil.cli.settings import Endpoint, Settings, option_of

_LOOK_S: Final = 2.0


def look_for_taken_ports(settings: Settings, timeout_s: float) -> list[Finding]:
    """Return, where nothing of ours is known to run, whether `agentvigil up` could listen."""
    findings = []
    other = _other_instance(settings.api, timeout_s)
    names = [name for name in INTERFACES if not (name == "clickhouse_http" and is_clickhouse_server(settings))]
    for name in names:
        address: str = getattr(settings, name)
        check, option = f"port {option_of(name)[2:]}", option_of(name)
        try:
            bind(Endpoint.parse(address), option).close()
        except CannotListen as exc:
            who = _who(name, address, timeout_s)
            if who is None:
                advice = f"choose an address of this machine with {option}"
                findings.append(trouble(check, f"{address}: {exc.__cause__}", advice))
            elif other is not None:
                advice = (
                    f"look at that one with `agentvigil doctor --api {settings.api}`, or choose another address with "
                )
                findings.append(trouble(check, f"{address}: taken, and {other} runs beside it", advice + option))
            else:
                advice = f"stop that program (`ss -ltnp` lists them), or choose another address with {option}"
                findings.append(trouble(check, f"{address}: {who}", advice))
        else:
            findings.append(ok(check, f"{address} is free"))
    return findings


def _other_instance(address: str, timeout_s: float) -> str | None:
    """Return what agentvigil answers at ``address``, in words; None if none does."""
    caller = HttpCaller(f"http://{callable_address(address)}", Trust(), min(timeout_s, _LOOK_S))
    try:
        health = Health.model_validate_json(caller.call("GET", "/health").body)
    except (NoAnswer, ValidationError):
        return None
    finally:
        caller.close()
    return f"an agentvigil {health.version[:40]} with other data"


def _who(name: str, address: str, timeout_s: float) -> str | None:
    """Return who has a port, in words; None if nobody has."""
    protocol = Protocol.GRPC if name == "otlp_grpc" else Protocol.HTTP
    try:
        spoken = greet(callable_address(address), protocol, min(timeout_s, _LOOK_S))
    except Unreachable:
        return None
    return "taken by another program" + ("" if spoken is Spoken.SILENT else f", which {spoken.value}")
