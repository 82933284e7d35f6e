"""What can be looked at without asking anybody: versions, settings, the data directory and its disk."""

import os
import platform
import shutil
import stat
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from agentvigil.cli.doctor.findings import Finding, note, ok, trouble
from agentvigil.cli.doctor.instance import (
    INTERFACES,
    Instance,
    home_of,
    is_clickhouse_server,
    is_known_store,
    keeps_data_here,
)
from agentvigil.cli.settings import Endpoint, Settings, option_of
from agentvigil.cli.tls import TlsUnusable, load_tls
from agentvigil.semconv import __version__
from agentvigil.storage.data_directory import read_owner

_PACKAGES: Final = ("chdb-core", "clickhouse-connect", "grpcio", "opentelemetry-sdk")
_PYTHONS: Final = ((3, 11), (3, 14))
"""The oldest that is supported, and the first that is not."""
_WALK_S: Final = 2.0
_ROOMY: Final = 2


def look_at_versions() -> list[Finding]:
    """Return the versions of what this command runs on."""
    found, missing = [f"agentvigil {__version__}", f"Python {platform.python_version()}"], []
    for package in _PACKAGES:
        try:
            found.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            missing.append(package)
    text = ", ".join(found)
    if missing:
        return [trouble("versions", f"{text}; missing: {', '.join(missing)}", "pip install 'agentvigil[server]'")]
    if not _PYTHONS[0] <= sys.version_info[:2] < _PYTHONS[1]:
        return [note("versions", text, "run it with CPython 3.11, 3.12 or 3.13, which it is tested with")]
    return [ok("versions", text)]


def look_at_configuration(settings: Settings, instance: Instance | None) -> list[Finding]:
    """Return what the settings mean for who can send and read; that they are valid was found out before."""
    key = "a key is set" if settings.shown_key() is not None else "no key is set"
    if is_clickhouse_server(settings):
        store = "; store on a ClickHouse server"
    else:
        store = f"; store embedded in {home_of(settings)}" if keeps_data_here(settings, instance) else ""
    findings = []
    if not is_known_store(settings):
        found = f"{urlsplit(settings.clickhouse or '').scheme or 'that'}:// is no ClickHouse URL"
        advice = "give http(s)://user:password@host:8123 or chdb:///directory as --clickhouse"
        findings.append(trouble("store URL", found, advice))
    try:
        tls = ", TLS set up" if load_tls(settings) else ""
        findings.append(ok("configuration", f"valid; {key}{tls}{store}, database {settings.database}"))
    except TlsUnusable as exc:
        findings.append(trouble("configuration", str(exc), "`agentvigil up` will not start with these files"))
    addresses = dict((instance.owner or {}).get("addresses") or {}) if instance and instance.owner else None
    if addresses is None and instance is not None:
        return [*findings, *_unprotected(settings, instance)]
    listens = addresses or {name: str(getattr(settings, name)) for name in INTERFACES}
    beyond = [f"{option_of(name)} {address}" for name, address in listens.items() if not _is_loopback(address)]
    if not beyond:
        findings.append(ok("listening", "on this machine only"))
    elif settings.static_key() is None and instance is None:
        advice = (
            "`agentvigil up` refuses to start like this unless the store has a key: make one with `agentvigil keys "
            "create`, set AGENTVIGIL_INGEST_KEY, or listen on 127.0.0.1"
        )
        findings.append(note("listening", f"beyond this machine without a key: {', '.join(beyond)}", advice))
    elif settings.tls_cert is None and (instance is None or not instance.speaks_tls):
        advice = (
            "give --tls-cert and --tls-key, or put a proxy with TLS in front: the key and the telemetry can be read"
        )
        findings.append(note("listening", f"beyond this machine without TLS: {', '.join(beyond)}", advice))
    else:
        findings.append(ok("listening", f"beyond this machine, over TLS: {', '.join(beyond)}"))
    return findings


def _unprotected(settings: Settings, instance: Instance) -> list[Finding]:
    beyond = [address for address in instance.addresses.values() if not _is_loopback(address)]
    if not beyond or instance.speaks_tls or settings.shown_key() is None:
        return []
    advice = (
        "unless a port below speaks TLS, the key and the telemetry can be read on the way: start it with --tls-cert"
    )
    return [note("listening", f"TLS is not asked for on the way to {', '.join(beyond)}", advice)]


def look_at_data_directory(settings: Settings) -> list[Finding]:
    """Return whether the directory is there and may be used, whose it is and how large; makes nothing."""
    if is_clickhouse_server(settings):
        return []
    path, check = home_of(settings).expanduser().absolute(), "data directory"
    try:
        found = path.stat()
    except FileNotFoundError:
        parent = _nearest(path)
        if not parent.is_dir():
            return [trouble(check, f"{path} can not be made: {parent} is a file", "choose another one with --data")]
        if not os.access(parent, os.W_OK | os.X_OK):
            found_text = f"{path} can not be made: {_user()} may not write into {parent}"
            return [trouble(check, found_text, "choose another one with --data, or run as a user who may")]
        return [ok(check, f"{path} is not there yet; `agentvigil up` makes it")]
    except OSError as exc:
        parent = _nearest(path)
        text = f"{path} can not be used: {exc.strerror}" + ("" if parent.is_dir() else f", {parent} is a file")
        return [trouble(check, text, "choose another one with --data, or run as a user who may")]
    if not stat.S_ISDIR(found.st_mode):
        return [trouble(check, f"{path} is no directory", "choose another one with --data")]
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        advice = "run as the user it belongs to, or choose another one with --data"
        return [trouble(check, f"{path} belongs to uid {found.st_uid}; {_user()} may not use it", advice)]
    owner = read_owner(path)
    owned = "nobody has it open" if owner is None else "in use by another process"
    if owner and "pid" in owner:
        owned = f"in use by pid {owner['pid']} ({owner.get('purpose')})"
    mode = stat.S_IMODE(found.st_mode)
    text = f"{path}, {_size(path)}, mode {mode:04o}, {owned}"
    if mode & 0o077:
        return [note(check, text, f"others on this machine may look into it: chmod 700 {path}")]
    return [ok(check, text)]


def look_at_disk(settings: Settings) -> list[Finding]:
    """Return how much room the disk of the data directory has."""
    if is_clickhouse_server(settings) and not settings.spool_max_bytes:
        return []
    path = _nearest(home_of(settings).expanduser().absolute())
    usage, kept = shutil.disk_usage(path), settings.min_free_disk_bytes
    text = (
        f"{_mib(usage.free)} of {_mib(usage.total)} free under {path}; "
        f"below {_mib(kept)} nothing more is taken (--min-free-disk-bytes)"
    )
    if usage.free < kept:
        advice = (
            "senders are told RESOURCE_EXHAUSTED (429): free some disk, shorten retention with --keep-days, or lower "
            "--min-free-disk-bytes"
        )
        return [trouble("disk", text, advice)]
    if usage.free < _ROOMY * kept:
        return [note("disk", text, "free some disk or shorten retention with --keep-days before it runs out")]
    return [ok("disk", text)]


def _is_loopback(address: str) -> bool:
    return Endpoint.parse(address).is_loopback


def _nearest(path: Path) -> Path:
    """Return the nearest of ``path`` and its parents that is there."""
    return next(place for place in (path, *path.parents) if os.path.lexists(place))


def _size(path: Path) -> str:
    """Return how much ``path`` holds, in words; stops after two seconds."""
    until, total = time.monotonic() + _WALK_S, 0
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                total += (Path(folder) / name).lstat().st_blocks * 512
            except OSError:
                continue  # merged away meanwhile
        if time.monotonic() > until:
            return f"more than {_mib(total)}"
    return _mib(total)


def _mib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB" if size >= 10 * 2**30 else f"{size / 2**20:.1f} MiB"


def _user() -> str:
    return f"uid {os.getuid()}"
