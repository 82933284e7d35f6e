"""A fleet of simulated agents, seen from outside: an ordinary program with the OpenTelemetry SDK and its OTLP exporter.

``agents`` is the cast and ``scenes`` what each of them does, both without a clock; ``script`` plans runs from a seed;
``playing`` writes a plan as spans. Nothing here may import the server: what the fleet can do, any program can do.

Run it with ``python -m agentvigil.cli.fleet``.
"""
