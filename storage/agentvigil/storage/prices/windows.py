"""How much a model takes at once, as genai-prices knows it."""

from functools import lru_cache

from genai_prices.data_snapshot import get_snapshot

from agentvigil.storage.prices.catalog import provider_id


@lru_cache(maxsize=10_000)
def context_window(provider: str, model: str) -> int | None:
    """Return the most tokens that ``model`` takes in one call, None if it is not known.

    ``provider`` may be empty: then the name of the model has to say it.
    """
    try:
        _, found = get_snapshot().find_provider_model(model, None, provider_id(provider) if provider else None, None)
    except LookupError:
        return None
    return found.context_window
