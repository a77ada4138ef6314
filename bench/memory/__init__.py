"""`python -m bench.memory`: how much memory the front door's function needs, and how long it takes with how much."""
