"""The CloudWatch dimension of a front door's metrics. Pure Python: no aws_cdk here."""

from __future__ import annotations

import re
from hashlib import sha256

FRONT_DOOR = "FrontDoor"
"""The dimension's name."""

MODEL = "Model"
"""The dimension of one model beside it."""

MIRROR = "Mirror"
"""The dimension in its place of the copies that a model's Mirror makes: the name of the model."""

MAX_LENGTH = 255
"""Characters of a value that the CDK accepts; CloudWatch accepts 1024."""

# Printable ASCII, no colon in front.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Dimension.html
_REFUSED = re.compile(r"^:|[^ -~]")
_HASH_LENGTH = 8


def front_door_dimension(path: str) -> str:
    """The value of the dimension `FrontDoor`: the construct's path from its stack's name on, which synth knows.

    What CloudWatch refuses of a path becomes a question mark, and what is too long is cut; a hash at the end then keeps
    two paths apart.

    Args:
        path: Path of the front door from the name of its stack on, such as `LlamaTgiStack/FrontDoor`.
    """
    allowed = _REFUSED.sub("?", path)
    if allowed == path and len(path) <= MAX_LENGTH:
        return path
    return f"{allowed[: MAX_LENGTH - _HASH_LENGTH - 1]}-{sha256(path.encode()).hexdigest()[:_HASH_LENGTH]}"
