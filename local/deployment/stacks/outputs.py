"""The outputs and exports of a stack."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from local.deployment.stacks.custom_resources import CustomResource
from local.deployment.stacks.state import ResourceFailure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.deployment.stacks.state import StackState


def publish(state: StackState, exports: dict[str, Any]) -> None:
    """Reads the outputs of a stack, and makes its exports known.

    Args:
        state: The stack.
        exports: The exports of all stacks by name, as moto keeps them.

    Raises:
        ResourceFailure: An output refers to what there is not, or another stack exports the same name.
    """
    from moto.cloudformation.models import OutputMap

    moto = state.moto
    moto.output_map = OutputMap(moto.resource_map, moto.template_dict, moto.stack_id)
    with _masked(state):
        state.outputs = moto.resolve_outputs()
    for export in moto.exports:
        known = exports.get(export.name)
        if known is not None and known.exporting_stack_id != moto.stack_id:
            raise ResourceFailure(f"Export with name {export.name} is already exported by another stack")
    withdraw(state, exports)
    exports.update({export.name: export for export in moto.exports})


def withdraw(state: StackState, exports: dict[str, Any]) -> None:
    """Forgets the exports of a stack."""
    for name in [name for name, export in exports.items() if export.exporting_stack_id == state.moto.stack_id]:
        del exports[name]


@contextmanager
def _masked(state: StackState) -> Iterator[None]:
    """Custom resources with NoEcho give asterisks in outputs."""
    instances = [resource.instance for resource in state.resources.values()]
    hidden = [instance for instance in instances if isinstance(instance, CustomResource) and instance.no_echo]
    for instance in hidden:
        instance.masked = True
    try:
        yield
    finally:
        for instance in hidden:
            instance.masked = False
