"""The pinned workloads by signal and encoding, and the check that they are what they claim to be.

Run as a program it decodes patched requests of every signal in both encodings, compares them with each other, and
prints the workloads' sizes and how fast they are made.
"""

import argparse
import base64
import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
from google.protobuf.json_format import MessageToDict, Parse
from google.protobuf.message import Message
from json_workload import json_template
from log_workload import LogWorkload
from metric_workload import MetricWorkload
from patching import DECIMAL, DECIMAL_DIGITS, SECOND_NS, Draft, Encoding, Pool, Template, protobuf_template
from workload import Workload

WORKLOADS: Final[dict[str, Callable[[int, Callable[[Draft], Template]], Pool]]] = {
    "traces": Workload,
    "logs": LogWorkload,
    "metrics": MetricWorkload,
}
SPELLINGS: Final[dict[Encoding, Callable[[Draft], Template]]] = {"protobuf": protobuf_template, "json": json_template}


def workload_of(signal: str, encoding: Encoding, items_per_request: int) -> Pool:
    """The requests of one signal in one encoding, all of ``items_per_request`` spans, log records or data points."""
    return WORKLOADS[signal](items_per_request, SPELLINGS[encoding])


def items_of(request: Any) -> Iterator[Message]:
    """Spans, log records or data points of a decoded request."""
    for by_resource in request.ListFields()[0][1]:
        for _, by_scope in by_resource.ListFields():
            if not isinstance(by_scope, Message):
                for scope in by_scope:
                    yield from _items_of_scope(scope)


def _items_of_scope(scope: Any) -> Iterator[Message]:
    for metric in getattr(scope, "metrics", ()):
        yield from getattr(metric, metric.WhichOneof("data")).data_points
    yield from getattr(scope, "spans", getattr(scope, "log_records", ()))


def decoded(template: Template, body: bytes) -> Message:
    """The request that ``body`` is. Protobuf's own JSON has ids in base64, so those are respelled for it."""
    kind = type(template.draft.message)
    if template.encoding == "protobuf":
        return kind.FromString(body)
    text = re.sub(
        r'"(traceId|spanId|parentSpanId)":"([0-9a-f]+)"',
        lambda found: f'"{found[1]}":"{base64.b64encode(bytes.fromhex(found[2])).decode()}"',
        body.decode(),
    )
    return Parse(text, kind())


def check(pool: Pool) -> None:
    """Assert that patched requests hold fresh ids and recent times, no sentinel, and otherwise what was drafted."""
    source = pool.new_source(np.random.default_rng())
    for template in pool.templates:
        now_ns = time.time_ns()
        values = source(template.draft.plan, now_ns)
        first, second = template.patched(values), template.patched(source(template.draft.plan, now_ns + 1))
        assert first != second
        assert len(first) == len(second)
        request = decoded(template, first)
        assert len(list(items_of(request))) == template.draft.items
        # The same values in the other encoding are the same request.
        assert request == decoded(twin := protobuf_template(template.draft), twin.patched(values))
        rendered = str(MessageToDict(request))
        assert not re.search("~cid|~cnv|~tim|~dec", rendered)
        times = [int(ns) for ns in re.findall(r"UnixNano': '(\d+)'", rendered)]
        assert all(now_ns - 600 * SECOND_NS < ns <= now_ns for ns in times)
        if template.draft.fraction_digits is not None:
            assert {len(str(int(n))) for n in values[DECIMAL]} == {DECIMAL_DIGITS}


def attributes_per_item(pool: Pool) -> float:
    """Mean number of attributes, those of the resource not counted."""
    items: list[Any] = [item for template in pool.templates for item in items_of(template.draft.message)]
    return sum(len(item.attributes) for item in items) / len(items)


def main() -> None:
    parser = argparse.ArgumentParser(description="Check the workloads, print their size and how fast they are made.")
    parser.add_argument("--items", type=int, default=512, metavar="N", help="items per request (512)")
    items = parser.parse_args().items
    for signal in WORKLOADS:
        for encoding in SPELLINGS:
            pool = workload_of(signal, encoding, items)
            check(pool)
            stream, requests, started = pool.stream(), 0, time.perf_counter()
            while (elapsed := time.perf_counter() - started) < 1:
                stream.request()
                requests += 1
            figures = {
                "signal": signal,
                "encoding": encoding,
                "templates": len(pool.templates),
                "digest": pool.digest,
                "bytes_per_item": round(pool.bytes_per_item, 1),
                "attributes_per_item": round(attributes_per_item(pool), 2),
                "generated_items_per_s": round(requests * items / elapsed),
            }
            print(json.dumps(figures))


if __name__ == "__main__":
    main()
