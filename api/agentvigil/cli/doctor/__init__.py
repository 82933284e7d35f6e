"""``agentvigil doctor``: looks at everything that must be right for telemetry to be stored and found again.

Every check stands for itself: it returns findings, never raises, and says so when an earlier trouble keeps it from
being made. Nothing is changed but for what the test telemetry adds.
"""
