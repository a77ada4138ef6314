"""A simulator of an endpoint that scales: `python -m bench.scaling`."""
