"""The changes of what chooses among the endpoints of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from constructs_lib import Fallback, InstanceType, Mirror, Split, VllmEndpoint
from tests.update_safety.endpoint_cases import QWEN
from tests.update_safety.front_door_cases import add_front_door, llama
from tests.update_safety.subjects import Change, Subject

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_cdk import Stack

    from tests.update_safety.subjects import Given


def vllm(stack: Stack, id: str) -> VllmEndpoint:
    found = stack.node.try_find_child(id)
    if isinstance(found, VllmEndpoint):
        return found
    return VllmEndpoint(stack, id, model=QWEN, instance_type=InstanceType.G5_2XLARGE)


def routed(make: Callable[[Any, Any, Any], object]) -> Callable[[Stack], Given]:
    """Arguments of a front door: a model made of the same three endpoints before and after."""

    def arguments(stack: Stack) -> Given:
        return {"models": {"llama": make(llama(stack), vllm(stack, "Vllm"), vllm(stack, "Copy"))}}

    return arguments


alone = routed(lambda tgi, vllm, copy: tgi)
split = routed(lambda tgi, vllm, copy: Split({tgi: 95, vllm: 5}))
half = routed(lambda tgi, vllm, copy: Split({tgi: 50, vllm: 50}))
drained = routed(lambda tgi, vllm, copy: Split({tgi: 0, vllm: 100}))
three = routed(lambda tgi, vllm, copy: Split({tgi: 90, vllm: 5, copy: 5}))
moved = routed(lambda tgi, vllm, copy: vllm)
fallback = routed(lambda tgi, vllm, copy: Fallback([tgi, vllm]))
turned = routed(lambda tgi, vllm, copy: Fallback([vllm, tgi]))
longer = routed(lambda tgi, vllm, copy: Fallback([tgi, vllm, copy]))
mirror = routed(lambda tgi, vllm, copy: Mirror(tgi, to=vllm, percent=5))
more = routed(lambda tgi, vllm, copy: Mirror(tgi, to=vllm, percent=50))
other = routed(lambda tgi, vllm, copy: Mirror(tgi, to=copy, percent=5))
of_split = routed(lambda tgi, vllm, copy: Mirror(Split({tgi: 95, vllm: 5}), to=copy, percent=5))
of_second = routed(lambda tgi, vllm, copy: Mirror(vllm, to=copy, percent=5))

SPLIT = Subject(
    "Split",
    add_front_door,
    takes=Split.__init__,
    cases={
        "on or off": [Change(alone, split), Change(split, alone), Change(drained, moved)],
        "weights": [Change(split, half), Change(half, drained), Change(split, three)],
    },
)

FALLBACK = Subject(
    "Fallback",
    add_front_door,
    takes=Fallback.__init__,
    cases={
        "on or off": [Change(alone, fallback), Change(fallback, alone)],
        "endpoints": [Change(fallback, turned), Change(fallback, longer)],
    },
)

MIRROR = Subject(
    "Mirror",
    add_front_door,
    takes=Mirror.__init__,
    cases={
        "on or off": [Change(alone, mirror), Change(mirror, alone)],
        "primary": [Change(other, of_split), Change(other, of_second)],
        "to": [Change(mirror, other)],
        "percent": [Change(mirror, more)],
    },
)

ROUTING_SUBJECTS = (SPLIT, FALLBACK, MIRROR)
