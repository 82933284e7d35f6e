"""Whether what was asked fits the OpenAPI document once it stands in a URL, where everything is text."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from jsonschema import Draft202012Validator


def url_fits(
    document: Mapping[str, Any], operation: Mapping[str, Any], url: str, path_parameters: Mapping[str, Any]
) -> bool:
    """Say whether ``operation`` of the OpenAPI ``document`` takes this: in the query of ``url`` all names that it needs
    and none that it does not list, and each text, read as the type that is asked for, what its schema says."""
    listed = operation.get("parameters", ())
    schemas = {where: {one["name"]: one for one in listed if one["in"] == where} for where in ("query", "path")}
    said = parse_qs(urlsplit(url).query, keep_blank_values=True)
    texts = {"query": said, "path": {name: [str(value)] for name, value in path_parameters.items()}}
    return all(
        name in schemas[where] and _fits(document, schemas[where][name]["schema"], values)
        for where, found in texts.items()
        for name, values in found.items()
    ) and all(name in said for name, one in schemas["query"].items() if one.get("required"))


def _fits(document: Mapping[str, Any], schema: Mapping[str, Any], texts: Sequence[str]) -> bool:
    if "$ref" in schema:
        named = schema["$ref"].removeprefix("#/components/schemas/")
        return _fits(document, document["components"]["schemas"][named], texts)
    if "anyOf" in schema:
        return any(_fits(document, one, texts) for one in schema["anyOf"])
    if schema.get("type") == "array":
        most = schema.get("maxItems", len(texts))
        return len(texts) <= most and all(_fits(document, schema["items"], [text]) for text in texts)
    is_valid = Draft202012Validator(schema).is_valid
    return len(texts) == 1 and any(map(is_valid, _readings(schema, texts[0])))


def _readings(schema: Mapping[str, Any], text: str) -> list[Any]:
    """What ``text`` can be read as, where ``schema`` says of which type it is to be."""
    match schema.get("type"):
        case "integer" | "number" as kind:
            try:
                return [int(text) if kind == "integer" else float(text)]
            except ValueError:
                return []
        case "boolean":
            return [text.lower() == "true"] if text.lower() in ("true", "false") else []
        case "null":
            return []
    return [text]
