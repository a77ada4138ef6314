"""Measurements of what must stay fast and small, each against a reference in the same run (`python -m bench`)."""
