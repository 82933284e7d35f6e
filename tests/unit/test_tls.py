"""Files for TLS are read when nobody is at the terminal."""

from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from agentvigil.cli.calling import Trust, TrustUnusable
from agentvigil.cli.settings import Settings
from agentvigil.cli.tls import TlsUnusable, load_tls


@pytest.fixture
def encrypted(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate, and its key under a password."""
    issued = trustme.CA().issue_cert("localhost")
    key = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
    certificate_path, key_path = tmp_path / "cert.pem", tmp_path / "key.pem"
    certificate_path.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    return certificate_path, key_path


def test_an_encrypted_key_is_refused_and_not_asked_for(encrypted: tuple[Path, Path]) -> None:
    """OpenSSL would wait at the terminal for its password, a server under systemd for ever."""
    certificate, key = encrypted

    with pytest.raises(TlsUnusable, match=r"--tls-key .* is encrypted; store it without a password"):
        load_tls(Settings(tls_cert=certificate, tls_key=key))
    with pytest.raises(TrustUnusable, match=r"--client-key .* is encrypted; store it without a password"):
        Trust(client_certificate=certificate, client_key=key).context()
