"""The operations on a stack: creation, update, deletion, and the rollbacks of the first two.

Events, statuses and their order are CloudFormation's:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.deployment.stacks import outputs, running_resources, services
from local.deployment.stacks.custom_resources import CustomResource, NotCreated
from local.deployment.stacks.data_plane import StoppedError
from local.deployment.stacks.order import creation_order
from local.deployment.stacks.state import ResourceFailure, StackResource, StackState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from local.deployment.stacks.data_plane import DataPlane

_RETAINED = ("Retain", "RetainExceptOnCreate")


@dataclass(slots=True)
class _Change:
    """A change of an update that a rollback undoes: what there was before, if anything, and what there is now."""

    before: StackResource | None
    after: StackResource
    replaced: bool = False

    def is_new(self) -> bool:
        """Whether a rollback deletes what there is now. A custom resource may have got its former id again."""
        return self.before is None or (self.replaced and self.after.physical_id != self.before.physical_id)


class Operations:
    """What can be done with one stack.

    Args:
        state: The stack.
        data_plane: What runs.
        exports: The exports of all stacks by name, as moto keeps them.
        is_stopping: Whether the emulated cloud stops; the operation then ends where it is.
    """

    def __init__(
        self, state: StackState, data_plane: DataPlane, exports: dict[str, Any], is_stopping: Callable[[], bool]
    ) -> None:
        self._state = state
        self._data_plane = data_plane
        self._exports = exports
        self._is_stopping = is_stopping

    def create(self) -> None:
        """Creates every resource; deletes what it has created if one fails. It ends early if it is cancelled."""
        state = self._state
        try:
            for logical_id in creation_order(state.definitions):
                self._create(logical_id)
            self._publish()
        except ResourceFailure as failure:
            if state.cancelled:
                return
            failed = _failed(state)
            reason = f"The following resource(s) failed to create: [{failed}]. " if failed else f"{failure}. "
            state.report("ROLLBACK_IN_PROGRESS", f"{reason}Rollback requested by user.")
            self._delete_all("ROLLBACK", retained=("Retain",))
        else:
            if not state.cancelled:
                state.report("CREATE_COMPLETE")

    def update(self, apply: Callable[[], None], restore: Callable[[], None]) -> None:
        """Updates the stack; returns to what there was if a resource fails.

        Args:
            apply: Makes the new template and parameters those of the stack.
            restore: Makes the former ones those of the stack again.
        """
        state = self._state
        former, references = dict(state.resources), dict(state.references)
        definitions = {logical_id: resource.definition for logical_id, resource in former.items()}
        changes: list[_Change] = []
        try:
            apply()
            for logical_id in creation_order(state.definitions):
                self._create_or_update(logical_id, changes)
            self._publish()
        except ResourceFailure as failure:
            failed = _failed(state)
            reason = f"The following resource(s) failed to update: [{failed}]. " if failed else str(failure)
            state.report("UPDATE_ROLLBACK_IN_PROGRESS", reason)
            for logical_id, definition in definitions.items():
                former[logical_id].definition = definition
            state.references = references
            self._roll_back(changes, restore)
            return
        state.report("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        old = [change.before for change in changes if change.replaced and change.before]
        kept = state.definitions
        gone = [resource for resource in _deletion_order(former) if resource.logical_id not in kept]
        self._clean_up(reversed(old), "UpdateReplacePolicy")
        self._clean_up(gone, "DeletionPolicy")
        self._data_plane.follow(settled=True)
        state.report("UPDATE_COMPLETE")

    def delete(self) -> bool:
        """Deletes every resource; returns whether none is left."""
        return self._delete_all("DELETE", retained=_RETAINED)

    def _create(self, logical_id: str) -> StackResource:
        state = self._state
        resource = self._new(logical_id)
        state.report_resource(resource, "CREATE_IN_PROGRESS")
        try:
            resource.properties = state.resolve(resource.definition)
            resource.instance = services.create(state, resource, self._data_plane)
            state.report_resource(resource, "CREATE_IN_PROGRESS", "Resource creation Initiated")
            state.put(resource)
            running_resources.run(resource, self._data_plane)
        except Exception as error:
            if isinstance(error, NotCreated):
                resource.instance = error.instance
            if resource.instance is not None:
                state.put(resource)
            state.report_resource(resource, "CREATE_FAILED", _reason(error))
            raise _as_failure(error) from error
        state.report_resource(resource, "CREATE_COMPLETE")
        return resource

    def _create_or_update(self, logical_id: str, changes: list[_Change]) -> None:
        state = self._state
        before = state.resources.get(logical_id)
        if before is None or before.type != state.definitions[logical_id]["Type"]:
            try:
                created = self._create(logical_id)
            except ResourceFailure:
                failed = state.resources.get(logical_id)
                if failed is not None and failed is not before:
                    changes.append(_Change(before, failed, replaced=before is not None))
                raise
            changes.append(_Change(before, created, replaced=before is not None))
            return
        after = self._new(logical_id)
        try:
            after.properties = state.resolve(after.definition)
            if after.properties == before.properties:
                before.definition = after.definition
                return
            replaces = services.must_be_replaced(before, after.properties)
        except Exception as error:
            state.report_resource(before, "UPDATE_FAILED", _reason(error))
            raise _as_failure(error) from error
        self._update(before, after, changes, replaces=replaces)

    def _update(self, before: StackResource, after: StackResource, changes: list[_Change], *, replaces: bool) -> None:
        state = self._state
        change = _Change(before, after, replaced=replaces)
        after.instance = before.instance
        former_config = running_resources.config_of(before)
        reason = "Requested update requires the creation of a new physical resource; hence creating one."
        state.report_resource(before, "UPDATE_IN_PROGRESS", reason if replaces else None)
        try:
            if replaces:
                after.instance = services.create(state, after, self._data_plane)
            else:
                changes.append(change)  # a failed update is undone too
                after.instance = services.update(state, before, after, self._data_plane)
                change.replaced = isinstance(after.instance, CustomResource) and after.physical_id != before.physical_id
            state.put(after)
            if replaces:
                changes.append(change)
            running_resources.run(after, self._data_plane, None if replaces else former_config)
        except Exception as error:
            state.report_resource(after, "UPDATE_FAILED", _reason(error))
            raise _as_failure(error) from error
        state.report_resource(after, "UPDATE_COMPLETE")

    def _roll_back(self, changes: list[_Change], restore: Callable[[], None]) -> None:
        """Restores what was updated, in the order of the changes; then deletes what was created."""
        state = self._state
        restore()
        try:
            for change in changes:
                if change.before is None:
                    continue
                self._restore(change)
            self._publish()
        except ResourceFailure:
            reason = f"The following resource(s) failed to update: [{_failed(state)}]. "
            state.report("UPDATE_ROLLBACK_FAILED", reason)
            return
        state.report("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        created = [change.after for change in changes if change.is_new()]
        self._clean_up(reversed(created), "")
        self._data_plane.follow(settled=True)
        state.report("UPDATE_ROLLBACK_COMPLETE")

    def _restore(self, change: _Change) -> None:
        state, before, after = self._state, change.before, change.after
        if before is None:
            raise AssertionError("only what was there before can be restored")
        state.report_resource(after, "UPDATE_IN_PROGRESS")
        former_config = running_resources.config_of(after)
        try:
            if before.type != after.type or (change.replaced and not isinstance(after.instance, CustomResource)):
                services.put_back(before)
            else:
                before.instance = services.update(state, after, before, self._data_plane)
            state.put(before)
            running_resources.run(before, self._data_plane, former_config)
        except Exception as error:
            state.report_resource(before, "UPDATE_FAILED", _reason(error))
            raise _as_failure(error) from error
        state.report_resource(before, "UPDATE_COMPLETE")

    def _delete_all(self, verb: str, *, retained: tuple[str, ...]) -> bool:
        state = self._state
        for resource in _deletion_order(state.resources):
            if resource.definition.get("DeletionPolicy") in retained:
                state.report_resource(resource, "DELETE_SKIPPED")
                state.drop(resource.logical_id)
            elif not self._delete(resource):
                state.report(f"{verb}_FAILED", f"The following resource(s) failed to delete: [{resource.logical_id}]. ")
                return False
            else:
                state.drop(resource.logical_id)
        outputs.withdraw(self._state, self._exports)
        self._data_plane.follow(settled=True)
        state.report(f"{verb}_COMPLETE")
        return True

    def _clean_up(self, resources: Iterable[StackResource], policy: str) -> None:
        """Deletes what an operation leaves behind; it succeeds even if something can't be deleted."""
        for resource in resources:
            if resource.definition.get(policy) in _RETAINED:
                self._state.report_resource(resource, "DELETE_SKIPPED")
            else:
                self._delete(resource)
            if self._state.resources.get(resource.logical_id) is resource:
                self._state.drop(resource.logical_id)

    def _delete(self, resource: StackResource) -> bool:
        state = self._state
        self._check_stop()
        state.report_resource(resource, "DELETE_IN_PROGRESS")
        try:
            services.delete(state, resource, self._data_plane)
        except ResourceFailure as failure:
            state.report_resource(resource, "DELETE_FAILED", str(failure))
            return False
        state.report_resource(resource, "DELETE_COMPLETE")
        return True

    def _new(self, logical_id: str) -> StackResource:
        self._check_stop()
        if self._state.cancelled:
            raise ResourceFailure("Resource creation cancelled")
        definition: Mapping[str, Any] = self._state.definitions[logical_id]
        return StackResource(stack=self._state.name, logical_id=logical_id, definition=definition, properties={})

    def _publish(self) -> None:
        """Makes the outputs known, and lets the gateway serve what there is now."""
        outputs.publish(self._state, self._exports)
        self._data_plane.follow(settled=True)

    def _check_stop(self) -> None:
        if self._is_stopping():
            raise StoppedError


def _deletion_order(resources: Mapping[str, StackResource]) -> list[StackResource]:
    definitions = {logical_id: resource.definition for logical_id, resource in resources.items()}
    return [resources[logical_id] for logical_id in reversed(creation_order(definitions))]


def _failed(state: StackState) -> str:
    """The logical ids whose newest event says that they failed."""
    newest = {event.logical_resource_id: event.resource_status for event in state.moto.events}
    return ", ".join(name for name, status in newest.items() if status.endswith("_FAILED"))


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _as_failure(error: Exception) -> Exception:
    return error if isinstance(error, ResourceFailure | StoppedError) else ResourceFailure(_reason(error))
