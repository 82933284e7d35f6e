"""HTTP API of the server: health and metrics."""
