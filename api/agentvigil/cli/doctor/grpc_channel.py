"""Opens gRPC channels to a server that is known as :mod:`agentvigil.cli.calling` knows one."""

import ssl
from pathlib import Path

import grpc

from agentvigil.cli.calling import Trust, TrustUnusable, bearer
from agentvigil.cli.doctor.greeting import Certificate


def open_channel(address: str, trust: Trust, certificate: Certificate | None) -> grpc.Channel:
    """Return a channel to ``address``; over TLS if the greeting was answered with a ``certificate``.

    Raises:
        TrustUnusable: if a file of ``trust`` can not be used.
    """
    options: list[tuple[str, str | int]] = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0)]
    if certificate is None:
        return grpc.insecure_channel(address, options)
    pem = trust.pinned()
    if pem is not None:
        roots: bytes | None = pem.encode()
        if certificate.names:
            # The certificate is known, so its names need not be what we called; gRPC has no switch for that alone.
            options.append(("grpc.ssl_target_name_override", certificate.names[0].replace("*", "any")))
    else:
        # Like every other program here, and unlike gRPC by itself, which brings a list of its own.
        bundle = trust.ca or ssl.get_default_verify_paths().cafile
        roots = _read(Path(bundle)) if bundle else None
    client_key = _read(trust.client_key) if trust.client_key else None
    client_certificate = _read(trust.client_certificate) if trust.client_certificate else None
    return grpc.secure_channel(address, grpc.ssl_channel_credentials(roots, client_key, client_certificate), options)


def export(channel: grpc.Channel, service: str, body: bytes, key: str | None, timeout_s: float) -> bytes:
    """Call Export of ``service`` with a serialised request, showing ``key``; return the serialised response.

    Raises:
        grpc.RpcError: if it was not acknowledged.
    """
    method = channel.unary_unary(f"/{service}/Export", request_serializer=_as_is, response_deserializer=_as_is)
    metadata = tuple((name.lower(), value) for name, value in bearer(key).items())
    response: bytes = method(body, timeout=timeout_s, metadata=metadata)
    return response


def _as_is(message: bytes) -> bytes:
    return message


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise TrustUnusable(f"can not read {path}: {exc.strerror}") from exc
