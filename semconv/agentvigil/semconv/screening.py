"""What is kept of a value, by its key and its project's policy: plainly, for tests and for readers.

The store does the same in SQL, made from the same classes, words and patterns, and is tested against this. The
patterns are written for RE2 and for Python's ``re`` alike, with ``re.ASCII``. docs/privacy.md says it in words.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Final, TypeAlias

from agentvigil.semconv.privacy import (
    LABEL_CHARACTERS,
    TEXT_CLASSES,
    ContentPolicy,
    KeyClass,
    class_of,
    error_words,
    name_openings,
)

Value: TypeAlias = str | bool | int | float | list[str]

_LABEL: Final = "[A-Za-z0-9_.:/@-]"
_LETTER: Final = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff"
"""Latin, with all its accents."""
_NAME_CHARACTER: Final = f"[{_LETTER}0-9_.:/@{{}}()<>*+#&=~$%,-]"
_PUNCTUATION: Final = r"[ -/:-@\[-`{-~]"
_NUMBER: Final = r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_STATE: Final = f"[a-z0-9_*/@-]+={_LABEL}*"

# ClickHouse compiles a pattern for each block, and for each time it looks at a view's columns: a count such as {1,64}
# costs more than all that the pattern is used for. So lengths are compared apart, except in lists.

LIST_PATTERN: Final = rf'^\[(?:\]|(?:"{_LABEL}{{0,64}}"|-?[0-9][0-9.eE+-]*|true|false|null)(?:, ?|\]))+$'
"""Labels and numbers. A bracket may close too early, which lets no other text in."""
NAME_PATTERN: Final = f"^(?:{_NAME_CHARACTER}+ )*{_NAME_CHARACTER}+$"
JSON_LEAF_PATTERN: Final = rf'^(?:{_NUMBER}|true|false|"{_LABEL}+")$'
PYTHON_MEMBER_PATTERN: Final = rf"""['"]({_LABEL}+)['"]: ?({_NUMBER}|True|False)\b"""
ERROR_TOKENIZER: Final = rf"[A-Za-z0-9]+|{_PUNCTUATION}+|[^ -~]+"
ERROR_TOKEN_PATTERN: Final = (
    rf"^(?:{_PUNCTUATION}+|[0-9]{{1,6}}(?:ms|s|m|h|k|kb|mb|gb|B|K|KB|MB|GB)?|[A-Z][A-Za-z0-9]*"
    "(?:Error|Exception|Timeout|Warning|Interrupt|Fault|Failure|Exit))$"
)
"""Punctuation, numbers of six digits at most with or without a unit, and classes of exceptions."""
GAP_PATTERN: Final = rf"…(?:{_PUNCTUATION}*…)+"
JOINED_NUMBERS_PATTERN: Final = r"[0-9]+(?:[ ()+-]+[0-9]+)+|[0-9]+(?:[.,:/][0-9]+){2,}"
"""Numbers that belong together, as in a telephone number, are no error's."""
FRAME_PATTERN: Final = (
    r'File "(?:[^"\n]*[/\\])?([A-Za-z0-9_.<>-]+)", line ([0-9]+), in ([A-Za-z0-9_.<>]+)'
    r"|at ([A-Za-z0-9_.$<>]+) ?\((?:[^()\n]*[/\\])?([A-Za-z0-9_.-]+):([0-9]+)"
)
"""Frames of Python, then those of JavaScript and Java."""
MAIL_PATTERN: Final = r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
KNOWN_KEY_PATTERN: Final = (
    r"\b(?:(?:sk|pk|rk)[-_][A-Za-z0-9_-]{8,}|gh[opsur]_[A-Za-z0-9]{8,}|github_pat_[A-Za-z0-9_]{8,}"
    r"|xox[a-z]-[A-Za-z0-9-]{8,}|(?:AKIA|ASIA)[0-9A-Z]{8,}|AIza[A-Za-z0-9_-]{8,}|vgl_[A-Za-z0-9_-]{8,}"
    r"|(?i:bearer) +[A-Za-z0-9._~+/=-]{8,}|eyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?)"
)
LONG_KEY_PATTERN: Final = r"\b(?:[0-9a-fA-F]{32,}|[A-Za-z0-9+/_-]{40,}={0,2})"
CARD_PATTERN: Final = r"\b[0-9]{4}(?:[ -]?[0-9]{4}){2}[ -]?[0-9]{1,7}\b"
PHONE_PATTERN: Final = r"(?:\+|\b00)[0-9][0-9 ()./-]{5,}[0-9]|\(?\b[0-9]{3}\)?[ .-][0-9]{3}[ .-][0-9]{4}\b"
TRACE_STATE_PATTERN: Final = rf"^{_STATE}(?:, ?{_STATE})*$"
URL_PATTERN: Final = f"^https?://{_LABEL}+$"

_MASKS: Final = {"mail": MAIL_PATTERN, "key": KNOWN_KEY_PATTERN, "card": CARD_PATTERN, "phone": PHONE_PATTERN}

_LONGEST_LABEL: Final = 64
_LONGEST_NAME: Final = 128
_LONGEST_ERROR_READ: Final = 4096
_LONGEST_ERROR: Final = 256
_LONGEST_MASKED_ERROR: Final = 2048
_MOST_FRAMES: Final = 32
_LONGEST_FRAME: Final = 128
_LONGEST_TRACE_STATE: Final = 512
_LONGEST_URL: Final = 256

HASH: Final = "~"
"""What a hash begins with; the store goes on with 16 hex digits that depend on the installation's key."""


@dataclass(frozen=True, slots=True)
class Screened:
    """``text`` is what stays an attribute, None for nothing; ``content`` what is handed on apart, None for nothing.

    Text that ends in :data:`HASH` stands for text with a hash there.
    """

    text: str | None
    content: str | None = None


def screen(key: str, value: Value, policy: ContentPolicy) -> Screened:
    """Return what the policy keeps of the attribute ``key`` with ``value``."""
    kind = class_of(key)
    text = text_of(value)
    if kind is KeyClass.CONTENT:
        kept = {ContentPolicy.OFF: None, ContentPolicy.MASKED: masked_text(text), ContentPolicy.FULL: text}
        return Screened(None, kept[policy])
    if policy is ContentPolicy.FULL:
        return Screened(text)
    if kind is KeyClass.NOT_A_LABEL:
        return Screened(None)
    if not isinstance(value, str | list) or text == "":
        return Screened(text)
    return Screened(_masked(kind, text) if policy is ContentPolicy.MASKED else _kept(kind, text))


def screen_place(place: str, text: str, policy: ContentPolicy) -> str:
    """Return what the policy keeps of ``text`` outside of attributes; ``place`` is one of ``privacy.TEXT_CLASSES``."""
    if text == "" or policy is ContentPolicy.FULL:
        return text
    kind = TEXT_CLASSES[place]
    return (_masked(kind, text) if policy is ContentPolicy.MASKED else _kept(kind, text)) or ""


def text_of(value: Value) -> str:
    """``value`` as the store keeps it when nothing is withheld."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return str(value)


def is_label(text: str) -> bool:
    """Say whether ``text`` is short and has no spaces, as machines' names and numbers are."""
    return len(text) <= _LONGEST_LABEL and set(text) <= set(LABEL_CHARACTERS)


def is_name(text: str, words: int = 3) -> bool:
    """Say whether ``text`` is of at most so many ``words``, with single spaces between them."""
    return len(text) <= _LONGEST_NAME and text.count(" ") < words and _matches(NAME_PATTERN, text)


def error_text(text: str) -> str:
    """``text`` with nothing but the words and numbers that errors are made of."""
    # What RE2 calls space.
    read = _sub(r"[\t\n\f\r ]+", " ", text[:_LONGEST_ERROR_READ])
    tokens = re.findall(ERROR_TOKENIZER, _sub(JOINED_NUMBERS_PATTERN, "…", read), re.ASCII)
    kept = (
        token
        if token.lower() in _error_words() or (len(token) <= _LONGEST_LABEL and _matches(ERROR_TOKEN_PATTERN, token))
        else "…"
        for token in tokens
    )
    return _sub(GAP_PATTERN, "…", "".join(kept))[:_LONGEST_ERROR]


def frames(text: str) -> str:
    """The frames of a stack trace, one a line: file, line, function."""
    found = re.findall(FRAME_PATTERN, text, re.ASCII)[:_MOST_FRAMES]
    return "\n".join(f"{f[0]}{f[4]}:{f[1]}{f[5]} {f[2]}{f[3]}"[:_LONGEST_FRAME] for f in found)


def numbers_text(text: str) -> str:
    """The members of a JSON object, or of a printed Python dictionary, that are numbers, booleans or labels."""
    try:
        document = json.loads(text, object_pairs_hook=list, parse_constant=_refuse)
    except (ValueError, RecursionError):
        pairs = [(name, said.lower()) for name, said in re.findall(PYTHON_MEMBER_PATTERN, text, re.ASCII)]
    else:
        members = document if text.lstrip().startswith("{") else []
        pairs = [(name, json.dumps(said, ensure_ascii=False)) for name, said in members if not isinstance(said, list)]
    kept = ",".join(
        f'"{name}":{said}'
        for name, said in pairs
        if is_label(name) and len(said) <= _LONGEST_LABEL + 2 and _matches(JSON_LEAF_PATTERN, said)
    )
    numbers = f"{{{kept}}}"
    return text if text.replace(" ", "") == numbers else numbers


def masked_name(text: str) -> str:
    """``text`` with addresses and numbers of people, and keys of known forms, replaced by what they were."""
    for word, pattern in _MASKS.items():
        text = _sub(pattern, f"[{word}]", text)
    return text


def masked_text(text: str) -> str:
    """As :func:`masked_name`, and with every long run of letters and digits taken for a key."""
    return _sub(LONG_KEY_PATTERN, "[key]", masked_name(text))


def _masked(kind: KeyClass, text: str) -> str | None:
    if kind in (KeyClass.TRACE_STATE, KeyClass.URL):
        return _kept(kind, text)
    if kind in (KeyClass.LABEL, KeyClass.NAME, KeyClass.SPAN_NAME):
        return masked_name(text)
    cut = kind in (KeyClass.FREE_TEXT, KeyClass.STACKTRACE)
    return masked_text(text)[: _LONGEST_MASKED_ERROR if cut else None]


def _kept(kind: KeyClass, text: str) -> str | None:
    opening = _opening(text)
    match kind:
        case KeyClass.FREE_TEXT:
            return error_text(text)
        case KeyClass.NUMERIC_JSON:
            return numbers_text(text)
        case KeyClass.STACKTRACE:
            return frames(text)
        case KeyClass.TRACE_STATE:
            return text if len(text) <= _LONGEST_TRACE_STATE and _matches(TRACE_STATE_PATTERN, text) else ""
        case KeyClass.URL:
            return text if len(text) <= _LONGEST_URL and _matches(URL_PATTERN, text) else ""
        case _ if is_label(text) or _matches(LIST_PATTERN, text):
            return text
        case KeyClass.NAME | KeyClass.SPAN_NAME if is_name(text, 4 if opening and kind is KeyClass.SPAN_NAME else 3):
            return text
        case KeyClass.UNKNOWN:
            return None
        case KeyClass.SPAN_NAME:
            return opening + HASH
        case _:
            return HASH


def _opening(text: str) -> str:
    word, space, _ = text.partition(" ")
    return word + space if space and word in name_openings() else ""


def _matches(pattern: str, text: str) -> bool:
    # RE2's $ is the end of the text, Python's also stands before a last newline.
    return re.fullmatch(pattern.removeprefix("^").removesuffix("$"), text, re.ASCII) is not None


def _sub(pattern: str, by: str, text: str) -> str:
    return re.sub(pattern, by.replace("\\", r"\\"), text, flags=re.ASCII)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


@cache
def _error_words() -> frozenset[str]:
    return error_words()
