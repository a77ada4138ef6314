"""Which endpoint a caller's requests go to, and which requests are copied: by hashes, so that no state is needed."""

import hashlib
import math

from front_door.config import Model
from front_door.targets import Branch, Routing


def choose(routing: Routing, model: str, caller: str) -> Branch:
    """The branch of a caller, by weighted rendezvous hashing.

    A weight that is raised moves callers to its branch, and one that is lowered away from it; no caller moves between
    two others.

    Args:
        routing: The branches, of which one at least has a weight.
        model: The name of the model: another divides the same callers in another way.
        caller: What tells the callers apart.
    """
    branches = routing.live()
    if len(branches) == 1:
        return branches[0]
    return min(
        branches, key=lambda branch: -math.log(_uniform(model, _name(branch.targets[0]), caller)) / branch.weight
    )


def is_mirrored(routing: Routing, model: str, request_id: str) -> bool:
    """Whether a copy of a request is made; independent of the branch that it takes."""
    # No target has this name: an empty part of the hash.
    return routing.mirror is not None and 100 * _uniform(model, "", request_id) < routing.percent


def _name(target: Model) -> str:
    return target.target or ""


def _uniform(model: str, target: str, key: str) -> float:
    """A number above 0 and below 1, the same for the same arguments; a name of a target has no NUL."""
    # A header may have what is no Unicode.
    text = f"{model}\0{target}\0{key}".encode(errors="surrogatepass")
    return (int.from_bytes(hashlib.sha256(text).digest()[:6]) + 1) / (2**48 + 1)
