"""What the views screen requests by: the parts of ``privacy_parts.sql``, and the vocabulary as constants for them."""

import re
from typing import Final

from agentvigil.semconv import screening
from agentvigil.semconv.privacy import (
    KEY_CHARACTERS,
    LABEL_CHARACTERS,
    NOT_A_KEY_PATTERN,
    TEXT_CLASSES,
    KeyClass,
    error_words,
    key_classes,
    name_openings,
)
from agentvigil.storage.literals import array, quote
from agentvigil.storage.named_queries import load_queries

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
    return {
        **load_queries("agentvigil.storage", "privacy_parts.sql"),
        **{name: quote(pattern) for name, pattern in _PATTERNS.items()},
        **{f"class_{member.name.lower()}": str(int(member)) for member in KeyClass},
        "key_characters": quote(KEY_CHARACTERS),
        "label_characters": quote(LABEL_CHARACTERS),
        "classed_keys": f"splitByChar(',', {quote(','.join(classes.keys))})",
        "key_classes": array(int(value) for value in classes.keys.values()),
        "key_family_pattern": quote(classes.family_pattern),
        "key_families": array(classes.families),
        "key_family_classes": array(int(value) for value in classes.families.values()),
        "text_names": array(TEXT_CLASSES),
        "name_opening_pattern": quote(f"^(?:{openings}) "),
        "error_words": f"splitByChar(' ', {quote(' '.join(sorted(error_words())))})",
    }
