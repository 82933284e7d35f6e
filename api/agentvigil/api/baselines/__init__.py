"""Baselines that people pin."""
