"""OpenAI's embeddings: https://developers.openai.com/api/reference"""

import base64
import re
import struct
from dataclasses import replace

from agentvigil.testing.api import Reply, Turn
from agentvigil.testing.openai_api import OpenAIApi


class Embeddings(OpenAIApi):
    """OpenAI's embeddings. A vector is made from its text, so that the same text is always nearest to itself."""

    name = "openai.embeddings"
    path = re.compile(r".*/embeddings")
    snapshot = ""

    def reply(self, turn: Turn) -> Reply:
        texts = turn.body.get("input", "")
        vectors = [self._vector(str(text)) for text in (texts if isinstance(texts, list) else [texts])]
        encode = _base64_floats if turn.body.get("encoding_format") == "base64" else list
        data = [{"object": "embedding", "index": i, "embedding": encode(vector)} for i, vector in enumerate(vectors)]
        usage = {"prompt_tokens": turn.answer.usage.input, "total_tokens": turn.answer.usage.input}
        document = {"object": "list", "data": data, "model": self.answered_by(turn), "usage": usage}
        return Reply(document, told=replace(turn.answer.usage, output=0))

    def _vector(self, text: str) -> tuple[float, ...]:
        counts = [sum(ord(letter) % 4 == remainder for letter in text) + 1 for remainder in range(4)]
        return tuple(round(count / sum(counts), 4) for count in counts)


def _base64_floats(vector: tuple[float, ...]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
