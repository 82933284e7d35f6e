"""Feedback and exports on the server as users run it, with keys."""

import http.client
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from server_process import OtlpSender, Server, until
from trace_requests import a_span, attributes

KEY = "key-of-the-test"


@pytest.mark.long
def test_a_run_is_judged_and_exported(start_server: Callable[..., Server], tmp_path: Path) -> None:
    server = start_server(
        tmp_path / "data", variables={"AGENTVIGIL_INGEST_KEY": KEY, "AGENTVIGIL_CONTENT_POLICY": "default=full"}
    )
    said = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "=helper"}
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.append(a_span(1, attributes=attributes(said)))
    sender = OtlpSender(server.addresses["otlp_grpc"])
    sender.send(request.SerializeToString(), [("authorization", f"Bearer {KEY}")])
    sender.close()

    def ask(method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(server.addresses["api"], timeout=60)
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, answer.read()

    (run,) = until(lambda: json.loads(ask("GET", "/v1/runs")[1])["items"], "the run is settled", 0.3)
    status, _ = ask("POST", f"/v1/runs/{run['id']}/feedback", {"score": 1, "comment": "it's right"})
    told = json.loads(ask("GET", f"/v1/runs/{run['id']}/feedback")[1])["items"]
    exported = ask("GET", "/v1/exports/runs?since=2h")[1].decode()

    assert status == 201
    assert [(item["score"], item["comment"]) for item in told] == [(1, "it's right")]
    assert exported.count("\n") == 2
    assert '"\'=helper"' in exported
