"""What all of OpenAI's APIs share."""

from fake_provider.api import Api, Document


class OpenAIApi(Api):
    """An API of OpenAI's: errors look alike in all of them."""

    def rate_limit_error(self) -> Document:
        error = {"message": "Rate limit reached.", "type": "requests", "param": None, "code": "rate_limit_exceeded"}
        return {"error": error}
