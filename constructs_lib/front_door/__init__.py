"""The public API in front of endpoints."""
