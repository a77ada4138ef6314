"""Benchmarks of speed and size, each against a reference in the same run (`python -m bench`)."""
