"""What all of OpenAI's APIs share."""

from typing import Final

from agentvigil.testing.api import Api, Document

_ERRORS: Final = {
    400: ("invalid_request_error", "invalid_value", "Invalid value."),
    401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    403: ("invalid_request_error", "unsupported_country_region_territory", "Not supported here."),
    404: ("invalid_request_error", "model_not_found", "The model does not exist."),
    429: ("requests", "rate_limit_exceeded", "Rate limit reached."),
}


class OpenAIApi(Api):
    """An API of OpenAI's: errors look alike in all of them."""

    def error(self, status: int) -> Document:
        kind, code, message = _ERRORS.get(status, ("server_error", None, "The server had an error."))
        return {"error": {"message": message, "type": kind, "param": None, "code": code}}
