"""How an endpoint's capacity changes: by load, by the clock and to zero."""
