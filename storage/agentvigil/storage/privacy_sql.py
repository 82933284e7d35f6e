"""What the views screen requests by: the parts of ``screening.sql``, and the vocabulary as constants for them."""

import re
from typing import Final

from agentvigil.semconv import screening
from agentvigil.semconv.privacy import (
    KEY_CHARACTERS,
    LABEL_CHARACTERS,
    NOT_A_KEY_PATTERN,
    KeyClass,
    error_words,
    key_classes,
    name_openings,
)
from agentvigil.storage.literals import array, quote
from agentvigil.storage.named_queries import load_queries
from agentvigil.storage.nested_selects import around, part

_STEPS: Final = (
    ("tags", "known_numbers"),
    ("sent_texts", "numbers"),
    ("labels", "lists_are_plain"),
    ("verdicts",),
    ("kept_texts",),
    ("stays",),
    ("withheld",),
)
"""From ``sent_keys`` and ``sent_values`` to what is kept of them."""

_PATTERNS: Final = {
    "not_a_key_pattern": NOT_A_KEY_PATTERN,
    "list_pattern": screening.LIST_PATTERN,
    "name_pattern": screening.NAME_PATTERN,
    "json_leaf_pattern": screening.JSON_LEAF_PATTERN,
    "python_member_pattern": screening.PYTHON_MEMBER_PATTERN,
    "error_tokenizer": screening.ERROR_TOKENIZER,
    "error_token_pattern": screening.ERROR_TOKEN_PATTERN,
    "gap_pattern": screening.GAP_PATTERN,
    "joined_numbers_pattern": screening.JOINED_NUMBERS_PATTERN,
    "frame_pattern": screening.FRAME_PATTERN,
    "mail_pattern": screening.MAIL_PATTERN,
    "known_key_pattern": screening.KNOWN_KEY_PATTERN,
    "long_key_pattern": screening.LONG_KEY_PATTERN,
    "card_pattern": screening.CARD_PATTERN,
    "phone_pattern": screening.PHONE_PATTERN,
    "trace_state_pattern": screening.TRACE_STATE_PATTERN,
    "url_pattern": screening.URL_PATTERN,
}


def privacy_placeholders() -> dict[str, str]:
    """Return the texts of the placeholders that screening needs, by name."""
    classes = key_classes()
    openings = "|".join(map(re.escape, name_openings()))
    parts = {name: part(sql) for name, sql in load_queries("agentvigil.storage", "screening.sql").items()}
    steps = around(_STEPS, parts)
    return {
        "screening_lambdas": parts["screening_lambdas"],
        "screening_steps": steps[0],
        "screening_steps_end": steps[1],
        "screening_columns": ", ".join(["sent_keys", "sent_values", *(name for level in _STEPS for name in level)]),
        **{name: quote(pattern) for name, pattern in _PATTERNS.items()},
        **{f"class_{member.name.lower()}": str(int(member)) for member in KeyClass},
        "key_characters": quote(KEY_CHARACTERS),
        "label_characters": quote(LABEL_CHARACTERS),
        "key_family_pattern": quote(classes.family_pattern),
        "key_families": array(classes.families),
        "key_family_classes": array(int(value) for value in classes.families.values()),
        "name_opening_pattern": quote(f"^(?:{openings}) "),
        "error_words": f"splitByChar(' ', {quote(' '.join(sorted(error_words())))})",
    }
