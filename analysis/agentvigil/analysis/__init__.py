"""Baselines, drift, regressions and failure modes over what the store holds."""
