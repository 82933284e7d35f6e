"""``/v1/exports``: rows as files."""

from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response

from agentvigil.api.access import Asker, Reads
from agentvigil.api.exports.answering import ExportResponse
from agentvigil.api.exports.filters import FileFormat, FindingExport, RunExport, SpanExport, StepExport
from agentvigil.api.exports.reading import Export, Exports, Rows, file_name

_MEDIA_TYPES: Final = {
    FileFormat.CSV: "text/csv; charset=utf-8",
    FileFormat.JSONL: "application/x-ndjson",
    FileFormat.PARQUET: "application/vnd.apache.parquet",
}
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The file. One that failed on its way ends with a broken connection.",
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            "application/x-ndjson": {"schema": {"type": "string"}},
            "application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


def exports_router(exports: Exports) -> APIRouter:
    """Return the routes under ``/v1/exports``."""
    router = APIRouter(prefix="/v1/exports", tags=["exports"], default_response_class=Response)

    def answer(rows: Rows, asker: Asker, asked: Export) -> Response:
        begin = partial(exports.begin, rows, asker.project, asked)
        return ExportResponse(exports, begin, file_name(rows, asker.project, asked), _MEDIA_TYPES[asked.format])

    @router.get("/runs", responses=_ANSWERS)
    async def export_runs(asker: Reads, asked: Annotated[RunExport, Query()]) -> Response:
        """Export runs, all that match, in no order."""
        return answer(Rows.RUNS, asker, asked)

    @router.get("/steps", responses=_ANSWERS)
    async def export_steps(asker: Reads, asked: Annotated[StepExport, Query()]) -> Response:
        """Export steps of runs, all that match, in no order."""
        return answer(Rows.STEPS, asker, asked)

    @router.get("/spans", responses=_ANSWERS)
    async def export_spans(asker: Reads, asked: Annotated[SpanExport, Query()]) -> Response:
        """Export spans as they are stored, all that match, in no order; without what people and models said."""
        return answer(Rows.SPANS, asker, asked)

    @router.get("/findings", responses=_ANSWERS)
    async def export_findings(asker: Reads, asked: Annotated[FindingExport, Query()]) -> Response:
        """Export findings, all that match, in no order."""
        return answer(Rows.FINDINGS, asker, asked)

    return router
