"""Runs, steps, spans and findings as files: CSV, JSON Lines or Parquet, as many rows as there are."""
