"""Patches moto's CloudFormation, so that its API answers from the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.deployment.stacks.engine import Engine, apply_template, check, require_settled

if TYPE_CHECKING:
    from collections.abc import Callable


def install(engine: Callable[[], Engine]) -> None:
    """Patches moto's CloudFormation.

    Args:
        engine: The engine of the control plane that runs.
    """
    from moto.cloudformation import models, parsing, responses

    _patch_operations(models, engine)
    _patch_descriptions(models, responses, engine)

    def get(resources: Any, name: str) -> Any:
        """What a reference means; None for a resource that does not exist. Moto would create it."""
        parsed = resources._parsed_resources
        if name in parsed:
            return parsed[name]
        if name not in resources._resource_json_map:
            raise KeyError(name)
        return None

    parsing.ResourceMap.__getitem__ = get
    _patch_functions(parsing, engine)


def _patch_functions(parsing: Any, engine: Callable[[], Engine]) -> None:
    resolve = parsing.clean_json

    def resolve_all(value: Any, resources: Any) -> Any:
        """The value with its functions replaced. Moto calls it for each part, and does not know weak references."""
        if isinstance(value, dict) and "Fn::GetStackOutput" in value:
            return engine().refer(resources["AWS::StackId"], resolve(value["Fn::GetStackOutput"], resources))
        return resolve(value, resources)

    parsing.clean_json = resolve_all


def _patch_operations(models: Any, engine: Callable[[], Engine]) -> None:
    def create_stack(backend: Any, name: str, template: str, parameters: dict[str, Any], **options: Any) -> Any:
        if any(stack.name == name for stack in backend.stacks.values()):
            raise models.AlreadyExistsException(f"Stack {name} already exists")
        options.pop("stack_policy_body", None)
        stack = models.Stack(
            stack_id=models.generate_stack_id(name, backend.region_name, backend.account_id),
            name=name,
            template=template,
            parameters=parameters,
            account_id=backend.account_id,
            region_name=backend.region_name,
            cross_stack_resources=backend.exports,
            **options,
        )
        check(stack)
        backend.stacks[stack.stack_id] = stack
        engine().create(backend, stack)
        return stack

    def update_stack(backend: Any, name: str, template: str, parameters: list[dict[str, Any]], **_: Any) -> Any:
        stack = backend.get_stack(name)
        require_settled(stack, "updated")
        given = {
            entry["ParameterKey"]: stack.parameters[entry["ParameterKey"]]
            if entry.get("UsePreviousValue")
            else entry["ParameterValue"]
            for entry in parameters
            # A parameter that was never given keeps the default of the template.
            if not entry.get("UsePreviousValue") or entry["ParameterKey"] in stack.parameters
        }
        if stack.has_template(template) and stack.parameters == given:
            raise models.ValidationError(message="No updates are to be performed.")
        check(_with_template(models, backend, stack, template, given))
        engine().update(backend, stack, template, given)
        return stack

    def delete_stack(backend: Any, name_or_stack_id: str) -> None:
        for stack in list(backend.stacks.values()):
            if name_or_stack_id in (stack.name, stack.stack_id):
                engine().delete(backend, stack)

    def execute_change_set(backend: Any, change_set_name: str, stack_name: str | None = None) -> None:
        change_set = backend.describe_change_set(change_set_name)
        stack = backend.stacks[change_set.stack_id]
        require_settled(stack, "changed")
        change_set.execution_status = "EXECUTE_COMPLETE"
        if change_set.change_set_type == "CREATE":
            apply_template(stack, change_set.template, change_set.parameters)
            check(stack)
            engine().create(backend, stack)
        else:
            check(_with_template(models, backend, stack, change_set.template, change_set.parameters))
            engine().update(backend, stack, change_set.template, change_set.parameters)

    models.CloudFormationBackend.create_stack = create_stack
    models.CloudFormationBackend.execute_change_set = execute_change_set
    models.CloudFormationBackend.update_stack = update_stack
    models.CloudFormationBackend.delete_stack = delete_stack


def _with_template(models: Any, backend: Any, stack: Any, template: str, parameters: dict[str, Any]) -> Any:
    """The stack as it would be with another template, which fails if moto cannot read it."""
    return models.Stack(
        stack_id=stack.stack_id,
        name=stack.name,
        template=template,
        parameters=parameters,
        account_id=stack.account_id,
        region_name=stack.region_name,
        cross_stack_resources=backend.exports,
    )


def _patch_descriptions(models: Any, responses: Any, engine: Callable[[], Engine]) -> None:
    resolve_outputs = models.Stack.outputs.fget

    class ResourceRow(responses.StackResourceDTO):  # type: ignore[misc]
        """A row of DescribeStackResources, with the status of the resource."""

        def __init__(self, stack: Any, resource: Any) -> None:
            super().__init__(stack, resource)
            for own in engine().state_of(stack).resources.values():
                if own.instance is resource:
                    self.resource_status = own.status

    models.Stack.resolve_outputs = resolve_outputs
    models.Stack.outputs = property(lambda stack: engine().state_of(stack).outputs)
    models.Stack.stack_resources = property(
        lambda stack: [resource.instance for resource in list(engine().state_of(stack).resources.values())]
    )
    responses.StackResourceDTO = ResourceRow
