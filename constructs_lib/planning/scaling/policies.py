"""The figures of scaling policies, in seconds unless they say otherwise. The simulator (`bench.scaling`) chose them."""

from __future__ import annotations

SCALE_OUT_COOLDOWN = 600
"""Before another instance or copy is added: more than a new one takes until it serves, as one that is not in service
yet does not bring the metric down. A larger addition does not wait for it."""

SCALE_IN_COOLDOWN = 300
"""Before another one is removed."""

SCALE_IN_SHARE = 0.5
SCALE_IN_REQUESTS = 1
"""Share of the target of concurrent requests, and how many more, below which one instance is removed.

Concurrent requests grow faster than the load: two instances that are each at half of the target may be more than one
can serve. Target tracking alone removes instances at nine tenths of the target, and then adds them again and again.
With a small target the busiest instance often has one request more than its share."""

LOW_LOAD = 900
"""How long the load must have been low before instances or copies are removed."""

IDLE = 1800
SHORTEST_IDLE = 900
"""Without a request, before the last copy is removed."""

WAKE_COOLDOWN = 60
"""Before another request without capacity adds a copy."""
