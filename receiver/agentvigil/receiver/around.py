"""What stands around records in a request of any signal: attributes of resources and of scopes."""

from collections.abc import Iterator
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue


def values_around(request: Any, resources: str, scopes: str) -> Iterator[AnyValue]:
    """Yield the values of these attributes; the request has its ``resources`` in that field, they their ``scopes``."""
    for resource in getattr(request, resources):
        yield from (pair.value for pair in resource.resource.attributes)
        for scope in getattr(resource, scopes):
            yield from (pair.value for pair in scope.scope.attributes)
