"""The figures of scaling policies, in seconds unless they say otherwise. The simulator (`bench.scaling`) chose them."""

from __future__ import annotations

SCALE_OUT_COOLDOWN = 300
"""Before another instance or copy is added: about what a new one takes until it serves."""

SCALE_IN_COOLDOWN = 600
"""Before another one is removed."""

IDLE = 1800
SHORTEST_IDLE = 900
"""Without a request, before the last copy is removed."""

LOW_LOAD = 900
"""How long one copy could have carried the load before all others are removed."""

WAKE_COOLDOWN = 60
"""Before another request without capacity adds a copy."""
