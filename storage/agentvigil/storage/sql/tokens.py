"""Words of a canonical query.

Input is what the engine's own formatter printed (one line, no comments, one statement), so this reads far less than
SQL. What it cannot read exactly it refuses: the text decides what runs, a guess is not good enough.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

from agentvigil.storage.sql.errors import ACCESS_DENIED, SYNTAX_ERROR, QueryRefused

Kind = Literal["word", "name", "string", "number", "sign"]
"""``word`` is a bare keyword or identifier, ``name`` a quoted identifier."""

_TOKEN: Final = re.compile(
    r"""
    (?P<space>[ ]+)
  | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<name>`(?:[^`\\]|\\.|``)*`)
  | (?P<string>'(?:[^'\\]|\\.|'')*')
  | (?P<number>[0-9][0-9A-Za-z_]*(?:\.[0-9A-Za-z_]*)?(?:(?<=[eEpP])[+-][0-9]+)?)
  | (?P<sign>->|::|<=>|<=|>=|!=|==|<>|\|\||[-+*/%=<>()\[\]{},.:?^@|&])
    """,
    re.VERBOSE | re.DOTALL,
)

# A quoted identifier is printed raw into the trees that admission reads. Control characters would break a line there,
# and these words are the trees' own marks; a name carrying any of them could be drawn up to look like another node.
_FORGERY: Final = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029\\]|\((?:children|alias) |, ?[a-z_]+: ?|``")

_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "b": "\b", "f": "\f", "a": "\a", "v": "\v", "e": "\x1b"}


@dataclass(frozen=True, slots=True)
class Token:
    """One word: its kind, its text as printed, and where it begins and how deep in brackets it stands."""

    kind: Kind
    text: str
    start: int
    depth: int

    def is_word(self, *words: str) -> bool:
        """Tell whether this is one of the bare (unquoted) words, in capitals as the formatter prints keywords."""
        return self.kind == "word" and self.text in words

    def is_sign(self, sign: str) -> bool:
        """Tell whether this is that sign."""
        return self.kind == "sign" and self.text == sign

    @property
    def identifier(self) -> str:
        """The name this token spells, without its quotes."""
        return self.text[1:-1] if self.kind == "name" else self.text

    @property
    def value(self) -> str:
        """Content of a string literal, escapes undone; the text itself for anything else."""
        if self.kind != "string":
            return self.text
        return re.sub(r"\\(.)|''", _unescape, self.text[1:-1], flags=re.DOTALL)


def tokenise(text: str) -> list[Token]:
    """Cut a canonical query into its words.

    Raises:
        QueryRefused: for a character that is none of SQL's, unbalanced brackets, or a quoted name that could be
            mistaken for part of a syntax tree.
    """
    tokens: list[Token] = []
    position, depth = 0, 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise QueryRefused(SYNTAX_ERROR, f"Cannot read the query at {text[position : position + 20]!r}")
        kind = match.lastgroup
        if kind != "space":
            word = match[0]
            if kind == "sign" and word in ")]}":
                depth -= 1
            if depth < 0:
                raise QueryRefused(SYNTAX_ERROR, "Brackets of the query do not match")
            tokens.append(Token(kind, word, position, depth))  # type: ignore[arg-type]  # group names are the kinds
            if kind == "sign" and word in "([{":
                depth += 1
            if kind == "name" and _FORGERY.search(word[1:-1]):
                raise QueryRefused(
                    ACCESS_DENIED,
                    f"Quoted name {word[:80]!r} has control characters, backslashes or words of a syntax tree in it; "
                    "use another alias",
                )
        position = match.end()
    if depth:
        raise QueryRefused(SYNTAX_ERROR, "Brackets of the query do not match")
    return tokens


def quote(text: str) -> str:
    """Write a string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\0", "\\0") + "'"


def quote_name(name: str) -> str:
    """Write a quoted identifier."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _unescape(match: re.Match[str]) -> str:
    return "'" if match[1] is None else _ESCAPES.get(match[1], match[1])
