"""Starts, stops and reads builds of CodeBuild."""

from typing import Any

from botocore.exceptions import ClientError
from weights_copier.failure import StagingError

from staging_starter.clients import client, code_of, message_of, pages
from staging_starter.settling import call_settled

SMALLEST = "BUILD_GENERAL1_SMALL"
_NAMES = {SMALLEST: "Small", "BUILD_GENERAL1_MEDIUM": "Medium", "BUILD_GENERAL1_LARGE": "Large"}


def start_build(properties: dict[str, Any], *, token: str) -> str:
    """Start the copy; the same token starts it once.

    If the account may not run the project's type of machine, it is tried once more with the smallest type, which new
    accounts may run: the copy needs neither memory nor a disk, only time.

    Args:
        properties: Those of the custom resource.
        token: What is the same if the same request of CloudFormation comes again.

    Returns:
        Id of the build.

    Raises:
        StagingError: CodeBuild does not start it.
    """
    variables = {"WAIT_HANDLE_URL": properties["Handle"], "UNIQUE_ID": properties["Hash"]}
    arguments: dict[str, Any] = {
        "projectName": properties["Project"],
        "environmentVariablesOverride": [
            {"name": name, "value": value, "type": "PLAINTEXT"} for name, value in variables.items()
        ],
    }
    codebuild = client("codebuild")
    try:
        return _start(codebuild, {**arguments, "idempotencyToken": token})
    except ClientError as error:
        if code_of(error) != "AccountLimitExceededException":
            raise StagingError(f"CodeBuild does not start the copy: {code_of(error)}: {message_of(error)}") from error
    try:
        return _start(codebuild, {**arguments, "idempotencyToken": f"{token}-s", "computeTypeOverride": SMALLEST})
    except ClientError as error:
        raise StagingError(_limit_words(error, properties["ComputeType"])) from error


def stop_builds(project: str, request: str) -> int:
    """Stop the builds of a project that copy for a request, and return how many did.

    Args:
        project: Name of the project.
        request: The staging request, as the build has it.

    Raises:
        StagingError: One could not be stopped.
    """
    codebuild, stopped = client("codebuild"), 0
    try:
        ids = pages(codebuild.list_builds_for_project, "ids", projectName=project)[:100]
        for build in codebuild.batch_get_builds(ids=ids)["builds"] if ids else []:
            if build["buildStatus"] == "IN_PROGRESS" and variables_of(build).get("STAGING_REQUEST") == request:
                codebuild.stop_build(id=build["id"])
                stopped += 1
    except ClientError as error:
        if code_of(error) == "ResourceNotFoundException":
            return stopped
        raise StagingError(f"the copy cannot be stopped: {code_of(error)}: {message_of(error)}") from error
    return stopped


def get_build(arn: str) -> dict[str, Any] | None:
    """A build; None if CodeBuild does not know it any more.

    Args:
        arn: Its ARN, or its id.

    Raises:
        ClientError: CodeBuild does not answer.
    """
    builds = client("codebuild").batch_get_builds(ids=[arn.rpartition("build/")[2]])["builds"]
    return builds[0] if builds else None


def variables_of(build: dict[str, Any]) -> dict[str, str]:
    """The environment variables of a build, those given at its start included."""
    variables = build.get("environment", {}).get("environmentVariables", [])
    return {variable["name"]: variable["value"] for variable in variables}


def _start(codebuild: Any, arguments: dict[str, Any]) -> str:
    return str(call_settled(lambda: codebuild.start_build(**arguments), is_new=_is_new)["build"]["id"])


def _is_new(error: ClientError) -> bool:
    """Whether this may be about the role of this function, or that of the project, before it is in force."""
    return code_of(error) == "AccessDeniedException" or "sts:AssumeRole" in message_of(error)


def _limit_words(error: ClientError, compute_type: str) -> str:
    names = dict.fromkeys(_NAMES.get(one, one) for one in (SMALLEST, compute_type))
    return (
        f"CodeBuild allows no build now ({message_of(error)}): raise its quota Concurrently running builds for"
        f" {' or '.join(f'Linux/{name}' for name in names)} environment, or run `tgi-endpoint stage` and deploy again"
    )
