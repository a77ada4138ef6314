"""Everything that a deployment needs to copy weights and to wait for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Annotations, CfnResource, CfnWaitCondition, CfnWaitConditionHandle
from constructs import Construct

from constructs_lib._functions import lambda_asset, synthesizer_problems
from constructs_lib._key_policy import allow_services
from constructs_lib._stack_env import environment_of, share_environment
from constructs_lib.endpoint.staging.project import add_project
from constructs_lib.endpoint.staging.starter import FUNCTION_SECONDS, Starter
from constructs_lib.errors import ConfigurationError
from constructs_lib.planning.staging import plan_staging
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from aws_cdk import Stack
    from aws_cdk import aws_s3_assets as assets

    from constructs_lib._stack_env import StackEnvironment
    from constructs_lib.endpoint.staging.settings import StagingSettings

_SCOPE = "StagedWeights"
_SECONDS_TO_START = 120
"""What CloudFormation waits beyond the function's timeout: it invokes it asynchronously."""

# Leaks nothing: jsii never releases an object either.
_JOBS: dict[tuple[StackEnvironment, str], WeightsJob] = {}


class WeightsJob(Construct):
    """One copy: of one commit, by one set of patterns, into one place.

    Its id, and so every logical id, has the hash of all these: another copy is another set of resources, whose
    condition waits anew. An update that fails goes back to the old ones, which it has not touched.

    Args:
        scope: A construct of the stack that is for such copies alone.
        id: The hash.
        settings: What is copied.

    Attributes:
        condition: What waits for the end of the copy.
        settings: What is copied.
    """

    def __init__(self, scope: Construct, id: str, settings: StagingSettings) -> None:
        super().__init__(scope, id)
        share_environment(self, scope)
        self.settings = settings
        plan = plan_staging(settings.size)
        if settings.encryption_key is not None:
            for warning in allow_services(self, settings.encryption_key):
                Annotations.of(self).add_warning_v2(warning.id, warning.message)
        code = _code(self)
        project = add_project(self, settings, plan, code)
        starter = Starter(self, settings, project, code)
        # With the time in their ids: neither can be updated, and another estimate of the size is another time.
        wait = str(plan.wait_seconds)
        handle = CfnWaitConditionHandle(self, f"Handle{wait}")
        resource = CfnResource(
            self,
            "Resource",
            type="Custom::StagedWeights",
            properties={
                "ServiceToken": starter.arn,
                "ServiceTimeout": FUNCTION_SECONDS + _SECONDS_TO_START,
                "Project": project.ref,
                "ComputeType": plan.compute_type,
                "Request": settings.request,
                "Handle": handle.ref,
                "Hash": id,
                **({"Deletes": "true"} if settings.deletes else {}),
            },
        )
        for one in starter.resources:
            resource.add_resource_dependency(one)
        self.condition = CfnWaitCondition(self, f"Condition{wait}", handle=handle.ref, timeout=wait, count=1)
        self.condition.add_resource_dependency(resource)


def job_of(scope: Construct, settings: StagingSettings) -> WeightsJob:
    """The copy of a stack: the one that it has already for these weights, else a new one.

    Args:
        scope: The endpoint that reads the weights.
        settings: What is copied.

    Raises:
        ConfigurationError: The stack copies the same weights already, with other settings.
    """
    here, digest = environment_of(scope), settings.digest
    job = _JOBS.get((here, digest))
    if job is None:
        job = _JOBS[here, digest] = WeightsJob(_scope_in(here.stack), digest, settings)
    elif job.settings.rendered != settings.rendered:
        raise ConfigurationError(
            scope.node.path,
            [
                Problem(
                    "model",
                    settings.files.repository,
                    "is copied by this stack already, to the same place and with other arguments",
                    "Create the model with Model.staged once, and give it to each endpoint.",
                )
            ],
        )
    return job


def _code(scope: Construct) -> assets.Asset:
    """The copier and its starter, not for the deployment alone: somebody may start a build by hand."""
    try:
        return lambda_asset(scope, "staging_starter", "weights_copier", deploy_time=False)
    except RuntimeError:  # The CDK rejects the code. Whether for the synthesizer is only asked now: see there.
        if problems := list(synthesizer_problems(environment_of(scope))):
            raise ConfigurationError(scope.node.path, problems) from None
        raise


def _scope_in(stack: Stack) -> Construct:
    found = next((job.node.scope for (here, _), job in _JOBS.items() if here.stack is stack), None)
    if found is not None:
        return found  # type: ignore[return-value]
    scope = Construct(stack, _SCOPE)
    share_environment(scope, stack)
    return scope
