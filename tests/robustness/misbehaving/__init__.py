"""Containers that misbehave in every way that is known, behind every route and engine."""
