"""Whether a model fits, where, and what to change if it does not."""
