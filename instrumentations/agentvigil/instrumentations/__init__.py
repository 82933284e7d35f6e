"""Instrumentors: one module per agent framework, loaded by ``opentelemetry-instrument``."""
