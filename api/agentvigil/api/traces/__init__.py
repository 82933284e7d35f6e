"""Traces over HTTP: lists, one as a tree of spans, a span whole."""
