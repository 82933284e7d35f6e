"""Grafana dashboards and alert rules as code: ``python -m agentvigil_grafana`` writes the files of ``grafana/``.

SQL is in ``queries``, a file for each dashboard; the sentence over a statement is the description of its panel.
"""
