"""CodeBuild's API of the control plane: moto takes the requests, and the builds run in the data plane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.codebuild import BuildError, read_project

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.codebuild import Project
    from local.deployment.control_plane import ControlPlane
    from local.deployment.stacks.engine import Engine

PROJECT = "AWS::CodeBuild::Project"
_OPERATIONS = {
    "start_build": "StartBuild",
    "stop_build": "StopBuild",
    "batch_get_builds": "BatchGetBuilds",
    "list_builds_for_project": "ListBuildsForProject",
}


def find_project(plane: ControlPlane, named: str) -> Project | None:
    """The project of a name or ARN that a stack has at this moment.

    Raises:
        ValueError: The emulated CodeBuild cannot run it.
    """
    for resource in plane.stacks.resources(PROJECT):
        name, arn = str(resource.physical_id), resource.instance.get_cfn_attribute("Arn")
        if named in (name, arn):
            return read_project(name, arn, resource.properties)
    return None


def install(engine: Callable[[], Engine]) -> None:
    """Patches moto's CodeBuild, which knows the projects of no template and runs nothing.

    Args:
        engine: The engine of the control plane that runs.
    """
    from moto.codebuild.responses import CodeBuildResponse
    from moto.core.exceptions import ServiceException
    from moto.core.responses import ActionResult

    class Refusal(ServiceException):  # type: ignore[misc]
        """An error of CodeBuild; moto finds the service of an exception by its module."""

        __module__ = "moto.codebuild.exceptions"

    def answer(operation: str) -> Callable[[Any], ActionResult]:
        def respond(response: Any) -> ActionResult:
            try:
                return ActionResult(engine().data_plane.code_build(operation, response._get_params()))
            except BuildError as error:
                raise Refusal(error.code, error.message) from error

        return respond

    create = CodeBuildResponse.__init__

    def create_parsing(response: Any) -> None:
        """Without this moto reads JSON alone, and SDKs send CBOR."""
        create(response)
        response.automated_parameter_parsing = True

    CodeBuildResponse.__init__ = create_parsing
    for method, operation in _OPERATIONS.items():
        setattr(CodeBuildResponse, method, answer(operation))
