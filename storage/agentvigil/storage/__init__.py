"""Where telemetry is kept: the schema, its migrations, and one way to reach both homes of it."""
