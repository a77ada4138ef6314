"""The weights of a commit that a deployment copies from the hub into a bucket."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sagemaker as sagemaker

from constructs_lib._arguments import BUCKET, KEY, SECRET, type_name
from constructs_lib._key_policy import key_problems
from constructs_lib._stack_env import environment_of
from constructs_lib._tokens import hide_tokens, is_token
from constructs_lib.endpoint.model import Model, ModelBinding
from constructs_lib.endpoint.s3_location import S3Folder
from constructs_lib.endpoint.staging.job import job_of
from constructs_lib.endpoint.staging.settings import StagingSettings
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.staging import bucket_warning, staging_problems, staging_warnings
from constructs_lib.planning.validation.problem import HIDDEN, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from aws_cdk import Stack
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_secretsmanager as secretsmanager
    from constructs import Construct

    from constructs_lib.endpoint.execution_role import ExecutionRole
    from constructs_lib.planning.models.facts import ModelFacts
    from constructs_lib.planning.staging import StagedFiles
    from constructs_lib.planning.validation.problem import PlanWarning


class StagedModel(Model):
    """See `Model.staged`.

    Args:
        files: What is copied.
        bucket: Where to.
        token: The secret with the hub's token.
        like: Model of the catalogue that has the same shape.
        facts: Shape of the model.
        log_retention: How long the logs keep an event. None: three months.
        encryption_key: Key of the logs and the project.
        removal_policy: What becomes of the weights.
    """

    def __init__(
        self,
        files: StagedFiles,
        *,
        bucket: s3.IBucket,
        token: secretsmanager.ISecret | None,
        like: str | None,
        facts: ModelFacts | None,
        log_retention: logs.RetentionDays | None,
        encryption_key: kms.IKey | None,
        removal_policy: RemovalPolicy,
    ) -> None:
        self._files = files
        self._bucket = bucket
        self._token = token
        self._like = like
        self._facts = facts
        self._log_retention = logs.RetentionDays.THREE_MONTHS if log_retention is None else log_retention
        self._encryption_key = encryption_key
        self._removal_policy = removal_policy

    @property
    def model_id(self) -> str | None:
        """Repository on the hub."""
        return self._files.repository

    def spec(self) -> ModelChoice:
        """See `Model.spec`."""
        return ModelChoice(
            source="s3",
            hub_id=self._files.repository,
            revision=self._files.revision,
            has_token=self._token is not None,
            like=self._like,
            facts=self._facts,
            bucket=self._bucket.bucket_name if BUCKET.matches(self._bucket) else None,
            is_staged=True,
            has_code=self._has_code,
        )

    def validate(self) -> Iterator[Problem]:
        """See `Model.validate`."""
        yield from staging_problems(hide_tokens(self._files))
        yield from BUCKET.problems("model.bucket", self._bucket, required=True)
        if self._token is not None and not SECRET.matches(self._token):
            message = f"must be {SECRET.description}; a token in the source code would end up in the template"
            yield Problem("model.token", HIDDEN, message, SECRET.fix)
        yield from KEY.problems("model.encryption_key", self._encryption_key)
        yield from key_problems("model.encryption_key", self._encryption_key)
        retention: object = self._log_retention  # a caller may ignore the annotation
        if not isinstance(retention, logs.RetentionDays):
            message = f"must be a RetentionDays of aws_logs, not {type_name(retention)}"
            fix = "Write aws_logs.RetentionDays.THREE_MONTHS, or leave it out."
            yield Problem("model.log_retention", retention, message, fix)
        if self._removal_policy not in (RemovalPolicy.RETAIN, RemovalPolicy.DESTROY):
            message = "must be RemovalPolicy.RETAIN or RemovalPolicy.DESTROY"
            yield Problem("model.removal_policy", self._removal_policy, message, "Leave it out to keep the weights.")

    def warnings(self, scope: Construct) -> Iterator[PlanWarning]:
        """See `Model.warnings`."""
        region = environment_of(scope).region
        yield from staging_warnings(self._files, self._size, None if is_token(region) else region)
        if _is_created_beside(self._bucket, scope):
            yield bucket_warning(self._files.repository, self._bucket.node.path)

    def resources(self) -> Mapping[str, object]:
        """See `Model.resources`."""
        return {"model.bucket": self._bucket, "model.token": self._token}

    def bind(self, role: ExecutionRole, *, token_variables: Iterable[str]) -> ModelBinding:
        """See `Model.bind`."""
        del token_variables  # the job alone knows the token
        job = job_of(role.scope, self._settings)
        folder = S3Folder(self._bucket, self._files.places.folder)
        folder.allow_read(role)
        source = sagemaker.CfnModel.S3DataSourceProperty(
            s3_uri=folder.uri, s3_data_type=folder.data_type, compression_type=folder.compression
        )
        return ModelBinding(
            data_source=sagemaker.CfnModel.ModelDataSourceProperty(s3_data_source=source), after=(job.condition,)
        )

    @property
    def _has_code(self) -> bool:
        """Whether Python files are copied; wrong patterns have a problem of their own."""
        return any(staging_problems(hide_tokens(self._files))) or self._files.has_code

    @property
    def _size(self) -> int | None:
        facts = self.spec().known_facts()
        return None if facts is None else facts.checkpoint_bytes

    @property
    def _settings(self) -> StagingSettings:
        return StagingSettings(
            files=replace(self._files, include=self._files.included, exclude=self._files.excluded),
            bucket=self._bucket,
            token=self._token,
            size=self._size,
            log_retention=self._log_retention,
            encryption_key=self._encryption_key,
            deletes=self._removal_policy == RemovalPolicy.DESTROY,
        )


def _is_created_beside(bucket: s3.IBucket, scope: Construct) -> bool:
    """Whether the bucket is created by the stack of the scope, or by one that it is nested in."""
    is_created = isinstance(bucket.node.default_child, s3.CfnBucket)
    return is_created and _outermost(environment_of(bucket).stack) is _outermost(environment_of(scope).stack)


def _outermost(stack: Stack) -> Stack:
    parent = stack.nested_stack_parent
    return stack if parent is None else _outermost(parent)
