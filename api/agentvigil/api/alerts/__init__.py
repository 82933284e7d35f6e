"""Alerts over HTTP: rules, destinations, and the log of deliveries."""
