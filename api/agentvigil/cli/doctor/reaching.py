"""Gets through to a port: over TLS or not, and nowhere but to whom it should be."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from agentvigil.cli.calling import HttpCaller
from agentvigil.cli.doctor.findings import Finding, note, ok
from agentvigil.cli.doctor.greeting import (
    Certificate,
    ClientCertificateWanted,
    NoTls,
    NotTrusted,
    Protocol,
    Spoken,
    Unreachable,
    greet,
    greet_with_tls,
)
from agentvigil.cli.doctor.instance import Instance
from agentvigil.cli.settings import option_of

_RENEW_FROM_S: Final = 14 * 86_400
_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class Reached:
    """A port that speaks what it should; over TLS if there is a ``certificate``."""

    name: str
    address: str
    certificate: Certificate | None

    @property
    def url(self) -> str:
        return f"{'https' if self.certificate else 'http'}://{self.address}"


@dataclass(frozen=True, slots=True)
class Visit:
    """What the checks of one port need to know; ``timeout_s`` is for each step on the network."""

    instance: Instance
    key: str | None
    timeout_s: float

    def caller(self, reached: Reached) -> HttpCaller:
        return HttpCaller(reached.url, self.instance.trust, self.timeout_s)


class Misfit(Exception):
    """The port is not what it should be."""

    def __init__(self, found: str, advice: str) -> None:
        super().__init__(found)
        self.found, self.advice = found, advice


def reach(visit: Visit, name: str, protocol: Protocol) -> Reached:
    """Greet the port and return how it is called.

    Raises:
        Misfit: if it does not speak what it should.
    """
    instance, timeout_s = visit.instance, visit.timeout_s
    address = instance.addresses[name]
    wanted = Spoken.HTTP2 if protocol is Protocol.GRPC else Spoken.HTTP
    plain: Spoken | None = None
    try:
        if not instance.speaks_tls:
            plain = greet(address, protocol, timeout_s)
            if plain is wanted:
                return Reached(name, address, None)
        try:
            spoken, certificate = greet_with_tls(address, protocol, instance.trust, timeout_s)
        except NoTls:
            plain = plain or greet(address, protocol, timeout_s)
            if plain is wanted:
                raise Misfit(
                    "it speaks no TLS, though it was expected to: a certificate was announced or given",
                    "start the server with --tls-cert and --tls-key, or leave out --ca; senders use http:// there",
                ) from None
            raise Misfit(*_stranger(visit, name, protocol, plain)) from None
        if spoken is wanted:
            return Reached(name, address, certificate)
        raise Misfit(*_stranger(visit, name, protocol, spoken))
    except Unreachable as exc:
        raise Misfit(str(exc), _advice_on_unreachable(visit.instance, name, exc)) from exc
    except ClientCertificateWanted as exc:
        shown = instance.trust.client_certificate
        raise Misfit(
            f"it speaks TLS and does not trust the certificate {shown}"
            if shown
            else "it speaks TLS and wants senders to show a certificate that it trusts",
            "give one with --client-cert and --client-key; senders need OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and "
            "OTEL_EXPORTER_OTLP_CLIENT_KEY",
        ) from exc
    except NotTrusted as exc:
        raise Misfit(f"it speaks TLS, but is not trusted: {exc}", _advice_on_trust(instance)) from exc


def _stranger(visit: Visit, name: str, protocol: Protocol, spoken: Spoken) -> tuple[str, str]:
    owner = visit.instance.owner
    if spoken is Spoken.SILENT:
        found = f"it takes connections, but says nothing for {visit.timeout_s:g} s"
        if owner is not None:
            return found, f"pid {owner.get('pid')} hangs or has too much to do: look at its log, and restart it"
        return found, f"whatever has this port hangs; if it is no agentvigil, give the address with {option_of(name)}"
    if protocol is Protocol.GRPC:
        wanted = "gRPC"
        swap = "OTLP over HTTP has a port of its own (4318), " if spoken is Spoken.HTTP else ""
    else:
        wanted = "HTTP"
        swap = "OTLP over gRPC has a port of its own (4317), " if spoken is Spoken.HTTP2 else ""
    return (
        f"it {spoken.value}, not {wanted}",
        f"{swap or 'another program has this port: '}give the server's address with {option_of(name)}",
    )


def _advice_on_unreachable(instance: Instance, name: str, exc: Unreachable) -> str:
    if instance.owner is not None:
        return f"pid {instance.owner.get('pid')} announced this address; look at its log and restart it"
    if exc.refused:
        return f"start a server there with `agentvigil up`, or give the running one's address with {option_of(name)}"
    return f"check the address given with {option_of(name)}, and firewalls on the way"


def _advice_on_trust(instance: Instance) -> str:
    if instance.trust.certificate is not None:
        return (
            f"restart the server so that it reads {instance.trust.certificate} again, or renew that certificate; "
            "if neither helps, another program has this port"
        )
    return "give the certificate that signed the server's with --ca FILE, and call the server by a name that is in it"


def look_at_certificate(certificate: Certificate, now_s: float) -> Finding:
    """Return who a server proved to be, and whether that ends soon; ``now_s`` is in seconds since 1970."""
    until = datetime.fromtimestamp(certificate.expires_at, UTC)
    names = ", ".join(certificate.names[:_NAMED]) or "no name"
    found = f"for {names}, until {until:%Y-%m-%d}"
    left_s = certificate.expires_at - now_s
    if left_s < _RENEW_FROM_S:
        return note(
            "certificate",
            f"{found}, {left_s / 86_400:.1f} days",
            "renew it and restart the server, which reads it at start",
        )
    return ok("certificate", found)
