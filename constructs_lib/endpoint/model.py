"""Where the weights come from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from aws_cdk import aws_sagemaker as sagemaker

from constructs_lib._arguments import BUCKET, SECRET
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.validation.problem import HIDDEN, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aws_cdk import aws_s3 as s3
    from aws_cdk import aws_secretsmanager as secretsmanager

    from constructs_lib.endpoint.execution_role import ExecutionRole
    from constructs_lib.planning.models.facts import ModelFacts
    from constructs_lib.planning.request import EndpointPlan


class Model(ABC):
    """The weights that an endpoint serves. Make one with `Model.from_hub` or `Model.from_s3`."""

    @staticmethod
    def from_hub(
        model_id: str,
        *,
        revision: str | None = None,
        token: secretsmanager.ISecret | None = None,
        facts: ModelFacts | None = None,
    ) -> Model:
        """Weights that the container downloads from the Hugging Face hub when it starts.

        The endpoint needs a way to the internet for it: none in network isolation, and a NAT in a VPC. In the Regions
        of China and of AWS's isolated partitions the hub is not reached; there `environment={"HF_ENDPOINT": …}` can
        name a mirror.

        Args:
            model_id: Repository on the hub, such as `meta-llama/Llama-3.1-8B-Instruct`.
            revision: Commit, tag or branch. Default: the repository's main branch as it is when an instance starts,
                so instances that start on different days can serve different weights; name a commit to prevent it.
            token: Secret whose whole value is a hub token with read access; gated models need one. CloudFormation puts
                the value into the container's environment when it creates the Model, so it is in no template, but who
                may call `sagemaker:DescribeModel` can read it: give a token that can read this repository only.
                A rotated secret reaches the endpoint with the next change of the Model. Default: no token.
            facts: Shape of the model, from which shards, memory and timeouts are worked out. Default: the catalogue's;
                for a model that it does not have nothing is worked out.
        """
        return _HubModel(model_id, revision, token, facts)

    @staticmethod
    def from_s3(
        bucket: s3.IBucket, prefix: str, *, model_id: str | None = None, facts: ModelFacts | None = None
    ) -> Model:
        """Weights that SageMaker copies from S3 and mounts at /opt/ml/model.

        Nothing is downloaded from the hub, so it works without a way to the internet.

        Args:
            bucket: Bucket in the endpoint's Region. One of another account has to let the endpoint's role read it.
            prefix: Folder of the bucket that holds the model's files uncompressed, `config.json`, the tokenizer and
                `*.safetensors` directly in it. `""` is the whole bucket.
            model_id: Repository on the hub that the weights are from, or have the shape of. Default: not said.
            facts: Shape of the model, from which shards, memory and timeouts are worked out. Default: the catalogue's
                of `model_id`; without it nothing is worked out.
        """
        return _S3Model(bucket, prefix, model_id, facts)

    @property
    @abstractmethod
    def model_id(self) -> str | None:
        """Repository on the hub; None for weights in S3 of which it is not said."""

    @abstractmethod
    def _choice(self) -> ModelChoice:
        """What the plan has to know of it."""

    def _problems(self) -> Iterable[Problem]:
        """What is wrong with the constructs that it was made of, which no plan sees."""
        return ()

    @abstractmethod
    def _allow_read(self, role: ExecutionRole) -> None:
        """Allow the role what reading these weights takes."""

    def _environment(self, plan: EndpointPlan) -> Mapping[str, str]:
        """Variables that only the construct can give, because their values are known at deployment."""
        del plan
        return {}

    def _data_source(self) -> sagemaker.CfnModel.ModelDataSourceProperty | None:
        """What SageMaker mounts into the container."""
        return None


class _HubModel(Model):
    def __init__(
        self, model_id: str, revision: str | None, token: secretsmanager.ISecret | None, facts: ModelFacts | None
    ) -> None:
        self._model_id = model_id
        self._facts = facts
        self._revision = revision
        self._token = token

    @property
    def model_id(self) -> str | None:
        return self._model_id

    def _choice(self) -> ModelChoice:
        return ModelChoice(
            source="hub",
            hub_id=self._model_id,
            revision=self._revision,
            has_token=self._token is not None,
            facts=self._facts,
        )

    def _problems(self) -> Iterable[Problem]:
        if self._token is not None and not SECRET.matches(self._token):
            yield Problem(
                "model.token",
                HIDDEN,
                f"must be {SECRET.description}; a token in the source would stand in the template",
                SECRET.fix,
            )

    def _allow_read(self, role: ExecutionRole) -> None:
        if self._token is not None:
            self._token.grant_read(role.role)

    def _environment(self, plan: EndpointPlan) -> Mapping[str, str]:
        if self._token is None:
            return {}
        # A dynamic reference: CloudFormation resolves it, the template never has the value.
        reference = self._token.secret_value.unsafe_unwrap()
        return dict.fromkeys(plan.token_variables, reference)


class _S3Model(Model):
    def __init__(self, bucket: s3.IBucket, prefix: str, model_id: str | None, facts: ModelFacts | None) -> None:
        self._bucket = bucket
        self._model_id = model_id
        self._facts = facts
        self._given_prefix = prefix
        folder = prefix.strip("/") if isinstance(prefix, str) else ""
        self._prefix = f"{folder}/" if folder else ""

    @property
    def model_id(self) -> str | None:
        return self._model_id

    def _choice(self) -> ModelChoice:
        return ModelChoice(source="s3", hub_id=self._model_id, facts=self._facts)

    def _problems(self) -> Iterable[Problem]:
        yield from BUCKET.problems("model.bucket", self._bucket, required=True)
        prefix: object = self._given_prefix
        if not isinstance(prefix, str) or "://" in prefix:
            fix = "Give the folder alone, such as llama/, or '' for the whole bucket."
            yield Problem("model.prefix", prefix, "must be a folder inside the bucket", fix)

    def _allow_read(self, role: ExecutionRole) -> None:
        role.allow(
            ["s3:GetObject"],
            [self._bucket.arn_for_objects(f"{self._prefix}*")],
            wildcard_reason="The model is every object under its prefix.",
        )
        role.allow(
            ["s3:ListBucket"],
            [self._bucket.bucket_arn],
            conditions={"StringLike": {"s3:prefix": f"{self._prefix}*"}} if self._prefix else None,
        )
        if self._bucket.encryption_key is not None:
            role.wait_for(self._bucket.encryption_key.grant_decrypt(role.role))

    def _data_source(self) -> sagemaker.CfnModel.ModelDataSourceProperty | None:
        return sagemaker.CfnModel.ModelDataSourceProperty(
            s3_data_source=sagemaker.CfnModel.S3DataSourceProperty(
                s3_uri=f"s3://{self._bucket.bucket_name}/{self._prefix}",
                s3_data_type="S3Prefix",
                compression_type="None",
            )
        )
