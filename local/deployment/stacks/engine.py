"""Runs the operations on stacks in the background, in the place of moto's own."""

from __future__ import annotations

import threading
import traceback
from typing import TYPE_CHECKING, Any

from local.deployment.cloudformation import output_named
from local.deployment.stacks import services
from local.deployment.stacks.data_plane import NothingRuns, StoppedError
from local.deployment.stacks.operations import Operations
from local.deployment.stacks.state import ResourceFailure, StackResource, StackState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.deployment.cloudformation import OutputName
    from local.deployment.stacks.data_plane import DataPlane

ANSWER_SECONDS = 20.0
"""How long CreateStack, UpdateStack and DeleteStack wait with their answer for the end of the operation.

They need not, but the CDK CLI looks only every five seconds whether an operation has ended. Others see its status
meanwhile.
"""
_STOP_SECONDS = 10.0


class Engine:
    """The stacks of an account.

    Args:
        client: Gives the client of a service of the control plane.

    Attributes:
        data_plane: What runs.
    """

    def __init__(self, client: Callable[[str], Any]) -> None:
        self._client = client
        self.data_plane: DataPlane = NothingRuns()
        self._states: dict[str, StackState] = {}
        self._running: set[threading.Thread] = set()
        self._creating: dict[str, threading.Thread] = {}
        self._stopping = threading.Event()
        self._beginning = threading.Lock()

    def state_of(self, moto_stack: Any) -> StackState:
        """What is known of a stack."""
        if moto_stack.stack_id not in self._states:
            self._states[moto_stack.stack_id] = StackState(moto=moto_stack, client=self._client)
        return self._states[moto_stack.stack_id]

    def resources(self, resource_type: str, stack: str | None = None) -> list[StackResource]:
        """The resources of a type that exist at this moment.

        Args:
            resource_type: The type.
            stack: The name of a stack. Default: those of all stacks.
        """
        return [
            resource
            for state in list(self._states.values())
            if stack is None or state.name == stack
            for resource in list(state.resources.values())
            if resource.type == resource_type
        ]

    def refer(self, stack_id: str, reference: Mapping[str, str]) -> str:
        """The output of another stack as it is at this moment. The stack that refers to it keeps this value.

        Args:
            stack_id: The id of the stack that refers to it.
            reference: The argument of `Fn::GetStackOutput`.

        Raises:
            ResourceFailure: There is no such stack, or it has no such output.
        """
        referring = self._states[stack_id]
        stack, name, region = of = output_named(reference, referring.moto.region_name)
        for state in list(self._states.values()):
            if (state.name, state.moto.region_name) == (stack, region):
                for output in state.outputs or ():
                    if output["OutputKey"] == name:
                        referring.references[of] = str(output["OutputValue"])
                        return referring.references[of]
        raise ResourceFailure(f"Fn::GetStackOutput {stack}.{name}: no deployed stack of {region} has this output.")

    def references(self, stack: str) -> Mapping[OutputName, str]:
        """The outputs of other stacks that a stack refers to, as they were when it was created or updated."""
        return next((dict(state.references) for state in self._states.values() if state.name == stack), {})

    def create(self, backend: Any, moto_stack: Any) -> None:
        """Creates a stack."""
        state = self.state_of(moto_stack)
        self._begin(state, "CREATE_IN_PROGRESS", "created")
        self._run(state, self._operations(state, backend).create)

    def update(self, backend: Any, moto_stack: Any, template: str, parameters: Mapping[str, Any]) -> None:
        """Updates a stack to a template with parameters."""
        state = self.state_of(moto_stack)
        self._begin(state, "UPDATE_IN_PROGRESS", "updated")
        former = moto_stack.template, moto_stack.parameters
        self._run(
            state,
            lambda: self._operations(state, backend).update(
                lambda: apply_template(moto_stack, template, parameters), lambda: apply_template(moto_stack, *former)
            ),
        )

    def delete(self, backend: Any, moto_stack: Any) -> None:
        """Deletes a stack, also while it is being created."""
        state = self.state_of(moto_stack)

        def delete() -> None:
            if creating := self._creating.pop(moto_stack.stack_id, None):
                creating.join()
            if self._operations(state, backend).delete():
                backend.deleted_stacks[moto_stack.stack_id] = backend.stacks.pop(moto_stack.stack_id)
                del self._states[moto_stack.stack_id]

        self._begin(state, "DELETE_IN_PROGRESS", "deleted")
        self._run(state, delete)

    def stop(self) -> None:
        """Ends the operations that still run, where they are."""
        self._stopping.set()
        for thread in list(self._running):
            thread.join(_STOP_SECONDS)

    def _begin(self, state: StackState, status: str, what: str) -> None:
        """Gives a stack the status of an operation that begins.

        Raises:
            ValidationError: Another one runs.
        """
        with self._beginning:
            if what == "deleted" and state.moto.status == "CREATE_IN_PROGRESS":
                state.cancelled = True
            else:
                require_settled(state.moto, what)
            state.report(status, "User Initiated")

    def _operations(self, state: StackState, backend: Any) -> Operations:
        return Operations(state, self.data_plane, backend.exports, self._stopping.is_set)

    def _run(self, state: StackState, operation: Callable[[], object]) -> None:
        def run() -> None:
            try:
                operation()
            except StoppedError:
                pass
            except Exception as error:  # noqa: BLE001 - a defect here must not leave an operation without an end
                if not self._stopping.is_set():
                    traceback.print_exc()
                    verb = state.moto.status.removesuffix("_IN_PROGRESS")
                    state.report(f"{verb.removesuffix('_COMPLETE_CLEANUP')}_FAILED", f"Internal failure: {error!r}")
            finally:
                self._running.discard(thread)

        thread = threading.Thread(target=run, name=f"{state.name}: {state.moto.status}", daemon=True)
        self._running.add(thread)
        if state.moto.status == "CREATE_IN_PROGRESS":
            self._creating[state.moto.stack_id] = thread
        thread.start()
        thread.join(ANSWER_SECONDS)


def apply_template(moto_stack: Any, template: str, parameters: Mapping[str, Any]) -> None:
    """Makes a template and parameters those of a stack."""
    moto_stack.template = template
    moto_stack._parse_template()
    moto_stack.description = moto_stack.template_dict.get("Description")
    moto_stack.parameters = dict(parameters)
    resources = moto_stack.resource_map
    resources._template = moto_stack.template_dict
    resources._resource_json_map = moto_stack.template_dict["Resources"]
    resources.input_parameters = dict(parameters)
    resources.resolved_parameters = {}
    resources.load_mapping()
    resources.load_parameters()
    resources.load_conditions()


def require_settled(moto_stack: Any, what: str) -> None:
    """Refuses an operation on a stack while another one runs. A change set alone is none.

    Raises:
        ValidationError: Another one runs.
    """
    from moto.cloudformation.exceptions import ValidationError

    status = moto_stack.status
    if status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
        raise ValidationError(message=f"Stack:{moto_stack.stack_id} is in {status} state and can not be {what}.")


def check(moto_stack: Any) -> None:
    """Refuses a template that cannot be deployed here.

    Raises:
        ValidationError: It has a resource of a type that there is not.
    """
    from moto.cloudformation.exceptions import ValidationError

    if reason := services.unsupported(moto_stack):
        raise ValidationError(message=reason)
