"""Grafana dashboards and alert rules as code: ``python -m agentvigil_grafana`` writes what is committed in ``grafana/``.

SQL is in ``queries``, a file for each dashboard; the sentence over a statement is the description of its panel.
"""
