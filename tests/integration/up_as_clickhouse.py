"""``agentvigil up`` whose ClickHouse can be written to over HTTP, in the place of a ClickHouse server; for tests only.

    python up_as_clickhouse.py DATA

It prints the port as ``{"clickhouse": 8123}``, answers every line of its standard input that names a user with all that
this user asked so far, as JSON, and ends with the first line that is empty.
"""

import asyncio
import json
import sys
from pathlib import Path

from clickhouse_stand_in import ClickHouseStandIn

from agentvigil.cli.running import ALL_PARTS, running
from agentvigil.cli.settings import Settings
from agentvigil.storage import embedded
from agentvigil.storage.embedded import EmbeddedStore

_PORT = 9000
_CLUSTER = f"""
  <tcp_port>{_PORT}</tcp_port>
  <remote_servers><main>
    <shard><internal_replication>true</internal_replication><replica><host>127.0.0.1</host><port>{_PORT}</port></replica></shard>
  </main></remote_servers>
"""
"""It is a cluster of one node as well. Nothing listens on the port: a node finds itself by it."""

PASSWORDS = {name: f"{name}: 1/2@3" for name in ("agentvigil_ingest", "agentvigil_read", "agentvigil_admin")}


async def _main(data: Path) -> None:
    embedded._CONFIG = embedded._CONFIG.replace("<clickhouse>", f"<clickhouse>{_CLUSTER}", 1)  # type: ignore[misc]
    any_port = "127.0.0.1:0"
    settings = Settings(
        data=data,
        otlp_grpc=any_port,
        otlp_http=any_port,
        clickhouse_http=any_port,
        api=any_port,
        settling=False,
        analysis=False,
        log_level="error",
    )
    async with running(settings, "up_as_clickhouse", parts=ALL_PARTS) as server:
        # Loopback only, as the stand-in is.
        assert isinstance(server.store, EmbeddedStore)
        stand_in = ClickHouseStandIn(server.store.open_handle, data / "sent.proto", passwords=PASSWORDS)
        stand_in.start()
        print(json.dumps({"clickhouse": stand_in.port}), flush=True)
        while name := (await asyncio.to_thread(sys.stdin.readline)).strip():
            sent = [
                (parameters.get("query") or body.decode(errors="replace")).replace(
                    "{table:Identifier}", parameters.get("param_table", "")
                )
                for user, (parameters, body) in zip(stand_in.users, stand_in.requests, strict=False)
                if user == name
            ]
            print(json.dumps(sent), flush=True)
        stand_in.stop()


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1])))
