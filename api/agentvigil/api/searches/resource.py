"""What can be saved: a resource, by the model of what may be asked of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, get_origin

from pydantic import BaseModel, ValidationError

from agentvigil.api.asked import Asked
from agentvigil.api.problems import Invalid

Scalar = str | bool | int | float
Parameters = Mapping[str, Scalar | list[Scalar]]
Texts = dict[str, str | list[str]]

_NOT_SAVED: Final = {
    "project": "a saved query belongs to the project that it is saved in",
    "cursor": "a cursor is of one moment; say it when you ask for results",
}


@dataclass(frozen=True, slots=True)
class Resource:
    """A list that the API has: what may be ``asked``, what a ``page`` is, and what gives one in a project."""

    asked: type[Asked]
    page: type[BaseModel]
    answer: Callable[[str, Any], BaseModel]

    def texts_of(self, parameters: Parameters) -> Texts:
        """Return ``parameters`` as a URL would have them, each a text or a list of texts.

        Raises:
            Invalid: if one is unknown, can not be saved, or has a value that can not be.
        """
        texts = {name: self._text_of(name, value) for name, value in parameters.items()}
        self.parse(texts)
        return texts

    def parse(self, texts: Texts) -> Asked:
        """Return what is asked.

        Raises:
            Invalid: naming what can not be.
        """
        try:
            return self.asked.model_validate(texts)
        except ValidationError as exc:
            problems = "; ".join(
                f"parameters.{'.'.join(map(str, error['loc']))[:100]}: {error['msg'][:200]}"
                for error in exc.errors(include_url=False, include_input=False)[:5]
            )
            raise Invalid(problems, "GET /openapi.json lists what the resource takes") from exc

    def _text_of(self, name: str, value: Scalar | list[Scalar]) -> str | list[str]:
        if name in _NOT_SAVED:
            raise Invalid(f"parameters.{name}: {_NOT_SAVED[name]}")
        field = self.asked.model_fields.get(name)
        if isinstance(value, list):
            return [_text(one) for one in value]
        return [_text(value)] if field is not None and get_origin(field.annotation) is list else _text(value)


def _text(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
