"""A container of the caller's own: what it serves is declared, not known."""
