"""What a copy is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from constructs_lib._stack_env import environment_of
from constructs_lib._tokens import is_token
from constructs_lib.planning.staging import plan_staging

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_logs as logs
    from aws_cdk import aws_s3 as s3
    from aws_cdk import aws_secretsmanager as secretsmanager

    from constructs_lib.planning.staging import StagedFiles


@dataclass(frozen=True, kw_only=True)
class StagingSettings:
    """Everything about a copy, its arguments checked.

    Args:
        files: What is copied, and under which keys.
        bucket: Where to.
        token: The secret with the hub's token; None without one.
        size: Bytes of the published weights; None if that is not known.
        log_retention: How long the logs keep an event.
        encryption_key: Key of the logs and the project; None for AWS's.
        deletes: Whether the weights are deleted with the resource.
    """

    files: StagedFiles
    bucket: s3.IBucket
    token: secretsmanager.ISecret | None
    size: int | None
    log_retention: logs.RetentionDays
    encryption_key: kms.IKey | None
    deletes: bool

    @property
    def digest(self) -> str:
        """What tells this copy from others of the stack."""
        name = self.bucket.bucket_name
        return self.files.digest(self.bucket.node.path if is_token(name) else name)

    @property
    def rendered(self) -> tuple[object, ...]:
        """What of it is in the template: a bucket that is imported twice is the same."""
        keys = (self.bucket.encryption_key, self.encryption_key)
        arns = [None if key is None else key.key_arn for key in keys]
        return (self.request, plan_staging(self.size), self.log_retention, self.deletes, *arns)

    @property
    def request(self) -> str:
        """The request of the copier, as JSON with tokens."""
        secret = None if self.token is None else self.token.secret_arn
        return self.files.request(self.bucket.bucket_name, secret)

    @property
    def object_arns(self) -> list[str]:
        """The objects that a copy writes: those of the folder, the manifest and the lock."""
        places = self.files.places
        return [self.bucket.arn_for_objects(key) for key in (f"{places.folder}*", places.manifest, places.lock)]

    @property
    def listed(self) -> dict[str, dict[str, list[str]]]:
        """The condition of a statement that allows listing those and nothing else of the bucket."""
        places = self.files.places
        return {"StringLike": {"s3:prefix": [f"{places.folder}*", places.manifest, places.lock]}}

    def key_statements(self, *actions: str) -> list[dict[str, object]]:
        """The statement about the bucket's key, if that is known.

        Args:
            actions: What is allowed with it.
        """
        key = self.bucket.encryption_key
        return [] if key is None else [{"Action": list(actions), "Resource": key.key_arn}]

    def token_statements(self) -> list[dict[str, object]]:
        """The statements that let the job, and nothing else, read the token."""
        if self.token is None:
            return []
        # Secrets Manager ends ARNs with six characters that one imported by its name does not tell.
        arn = self.token.secret_full_arn or f"{self.token.secret_arn}-??????"
        statements: list[dict[str, object]] = [{"Action": ["secretsmanager:GetSecretValue"], "Resource": arn}]
        key = self.token.encryption_key
        if key is not None:
            here = environment_of(key)
            condition = {"StringEquals": {"kms:ViaService": f"secretsmanager.{here.region}.{here.url_suffix}"}}
            statements.append({"Action": ["kms:Decrypt"], "Resource": key.key_arn, "Condition": condition})
        return statements
