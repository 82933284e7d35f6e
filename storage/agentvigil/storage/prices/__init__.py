"""List prices: what a call would cost by its provider's price list, as ClickHouse computes it at insert.

The prices are those of the package genai-prices (MIT), with the user's own on top. :mod:`~.matching` turns the
package's rules for names into regular expressions that the engine evaluates, :mod:`~.schedules` its prices into rates
per token, :mod:`~.catalog` puts both and the overrides together, and :mod:`~.loading` brings the result into the
store. The expression itself is in ``list_cost.sql``.
"""
