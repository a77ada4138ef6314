"""Where the resources must be that an endpoint refers to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs_lib._arguments import BUCKET, KEY, ROLE, SECRET, VPC
from constructs_lib._references import Referred

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from constructs_lib._arguments import ConstructType
    from constructs_lib._stack_env import StackEnvironment
    from constructs_lib.planning.validation.problem import Problem

_KINDS: tuple[tuple[ConstructType, Referred], ...] = (
    (
        BUCKET,
        Referred(
            noun="bucket",
            rule="SageMaker reads weights from buckets in the endpoint's Region",
            fix="Copy the weights to a bucket there, or deploy the endpoint to the bucket's Region.",
            name="bucket_name",
        ),
    ),
    (
        SECRET,
        Referred(
            noun="secret",
            rule="a hub token is read from secrets of the stack's Region",
            fix="Replicate the secret to that Region, and import it there.",
            name="secret_name",
        ),
    ),
    (
        KEY,
        Referred(
            noun="key",
            rule="SageMaker encrypts volumes with keys in the endpoint's Region",
            fix="Use a key there, or a replica of a multi-Region key.",
            name=None,
        ),
    ),
    (
        VPC,
        Referred(
            noun="VPC",
            rule="an endpoint's network interfaces are in its Region",
            fix="Use a VPC there, or deploy the endpoint to the VPC's Region.",
            name=None,
        ),
    ),
    (
        ROLE,
        Referred(
            noun="role",
            rule="SageMaker takes roles of the endpoint's account",
            fix="Use a role of that account; it may assume the other one, or the other account may grant it access.",
            name="role_name",
            attribute="account",
        ),
    ),
)


def place_problems(here: StackEnvironment, resources: Mapping[str, object]) -> Iterator[Problem]:
    """The problems of resources in another account or Region than the endpoint.

    Args:
        here: The environment of the endpoint's stack.
        resources: Buckets, secrets, keys, VPCs and roles by keyword; anything else is left to the checks of types.
    """
    for keyword, resource in resources.items():
        for type_, referred in _KINDS:
            if type_.matches(resource):
                yield from referred.problems(keyword, resource, here)  # type: ignore[arg-type]  # matched by a member
