"""Which endpoint a caller's requests go to, and which requests are copied: by hashes, so that no state is needed."""

import hashlib
import math
from collections.abc import Sequence

from front_door.config import Model
from front_door.targets import Branch


def choose(model: Model, caller: str) -> Sequence[Model]:
    """The endpoints of a caller's branch, by weighted rendezvous hashing; none if the model has only one.

    A weight that is raised moves callers to its branch, and one that is lowered away from it; no caller moves between
    two others. Another model divides the same callers in another way.

    Args:
        model: The model.
        caller: What tells the callers apart.
    """
    branches = () if model.routing is None else model.routing.live()

    def score(branch: Branch) -> float:
        return -math.log(_uniform(model.name, branch.targets[0].key, caller)) / branch.weight

    return min(branches, key=score).targets if branches else ()


def is_mirrored(model: Model, request_id: str) -> bool:
    """Whether a copy of a request is made; independent of the branch that it takes."""
    routing = model.routing
    if routing is None or routing.mirror is None:
        return False
    # No target has this name: an empty part of the hash.
    return 100 * _uniform(model.name, "", request_id) < routing.percent


def _uniform(model: str, target: str, key: str) -> float:
    """A number above 0 and below 1, the same for the same arguments; a name of a target has no NUL."""
    # A header may have what is no Unicode.
    text = f"{model}\0{target}\0{key}".encode(errors="surrogatepass")
    return (int.from_bytes(hashlib.sha256(text).digest()[:6]) + 1) / (2**48 + 1)
