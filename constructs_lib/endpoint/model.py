"""Where the weights come from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aws_cdk import aws_sagemaker as sagemaker

from constructs_lib._arguments import BUCKET, SECRET
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.validation.problem import HIDDEN, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from aws_cdk import aws_s3 as s3
    from aws_cdk import aws_secretsmanager as secretsmanager

    from constructs_lib.endpoint.execution_role import ExecutionRole
    from constructs_lib.planning.models.facts import ModelFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelBinding:
    """What the SageMaker Model gets from the weights.

    Args:
        environment: Variables whose values only the deployment knows. Default: none.
        data_source: What SageMaker mounts into the container. Default: nothing.
    """

    environment: Mapping[str, str] = field(default_factory=dict)
    data_source: sagemaker.CfnModel.ModelDataSourceProperty | None = None


class Model(ABC):
    """The weights that an endpoint serves. Create one with `Model.from_hub` or `Model.from_s3`."""

    @staticmethod
    def from_hub(
        model_id: str,
        *,
        revision: str | None = None,
        token: secretsmanager.ISecret | None = None,
        facts: ModelFacts | None = None,
    ) -> Model:
        """Weights that the container downloads from the Hugging Face hub when it starts.

        The endpoint needs a route to the internet: it cannot use network isolation, and in a VPC it needs a NAT. The
        hub cannot be reached from the Regions of China and of AWS's isolated partitions; name a mirror there with
        `environment={"HF_ENDPOINT": …}`.

        Args:
            model_id: Repository on the hub, such as `meta-llama/Llama-3.1-8B-Instruct`.
            revision: Commit, tag or branch. Default: the repository's main branch as it is when an instance starts.
                Instances that start on different days can then serve different weights; name a commit to prevent it.
            token: Secret whose entire value is a hub token with read access; gated models require one. CloudFormation
                writes the value into the container's environment when it creates the Model: it is in no template, but
                anybody with `sagemaker:DescribeModel` can read it, so use a token that reads only this repository. A
                rotated secret reaches the endpoint with the next change of the Model. Default: no token.
            facts: Shape of the model, from which shards, memory and timeouts are computed. Default: the catalogue's;
                nothing is computed for a model that is not in the catalogue.
        """
        return _HubModel(model_id, revision, token, facts)

    @staticmethod
    def from_s3(
        bucket: s3.IBucket, prefix: str, *, model_id: str | None = None, facts: ModelFacts | None = None
    ) -> Model:
        """Weights that SageMaker copies from S3 and mounts at /opt/ml/model.

        Nothing is downloaded from the hub, so the endpoint needs no route to the internet.

        Args:
            bucket: Bucket in the endpoint's Region. A bucket in another account must allow the endpoint's role to
                read it.
            prefix: Folder of the bucket with the model's uncompressed files: `config.json`, the tokenizer and
                `*.safetensors`, none of them in a subfolder. `""` is the entire bucket.
            model_id: Repository on the hub that has the same weights, or weights of the same shape. Default: unknown.
            facts: Shape of the model, from which shards, memory and timeouts are computed. Default: the catalogue's
                for `model_id`; without either, nothing is computed.
        """
        return _S3Model(bucket, prefix, model_id, facts)

    @property
    @abstractmethod
    def model_id(self) -> str | None:
        """Repository on the hub; None for weights in S3 without one."""

    @abstractmethod
    def spec(self) -> ModelChoice:
        """What the plan needs to know about the weights."""

    def validate(self) -> Iterable[Problem]:
        """Problems that no plan sees: those of the constructs that the model was created from."""
        return ()

    @abstractmethod
    def bind(self, role: ExecutionRole, *, token_variables: Iterable[str]) -> ModelBinding:
        """Allow the role to read the weights.

        Args:
            role: The endpoint's role.
            token_variables: Environment variables that the engine reads a hub token from.

        Returns:
            What the SageMaker Model gets.
        """


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

    def spec(self) -> ModelChoice:
        return ModelChoice(
            source="hub",
            hub_id=self._model_id,
            revision=self._revision,
            has_token=self._token is not None,
            facts=self._facts,
        )

    def validate(self) -> Iterator[Problem]:
        if self._token is not None and not SECRET.matches(self._token):
            yield Problem(
                "model.token",
                HIDDEN,
                f"must be {SECRET.description}; a token in the source code would end up in the template",
                SECRET.fix,
            )

    def bind(self, role: ExecutionRole, *, token_variables: Iterable[str]) -> ModelBinding:
        if self._token is None:
            return ModelBinding()
        role.allow_secret_read(self._token)
        # A dynamic reference: CloudFormation resolves it, and the template never has the value.
        reference = self._token.secret_value.unsafe_unwrap()
        return ModelBinding(environment=dict.fromkeys(token_variables, reference))


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

    def spec(self) -> ModelChoice:
        return ModelChoice(source="s3", hub_id=self._model_id, facts=self._facts)

    def validate(self) -> Iterator[Problem]:
        yield from BUCKET.problems("model.bucket", self._bucket, required=True)
        prefix: object = self._given_prefix
        if not isinstance(prefix, str) or "://" in prefix:
            fix = "Give only the folder, such as llama/, or '' for the entire bucket."
            yield Problem("model.prefix", prefix, "must be a folder inside the bucket", fix)

    def bind(self, role: ExecutionRole, *, token_variables: Iterable[str]) -> ModelBinding:
        del token_variables
        role.allow_weights_read(self._bucket, self._prefix)
        source = sagemaker.CfnModel.S3DataSourceProperty(
            s3_uri=f"s3://{self._bucket.bucket_name}/{self._prefix}", s3_data_type="S3Prefix", compression_type="None"
        )
        return ModelBinding(data_source=sagemaker.CfnModel.ModelDataSourceProperty(s3_data_source=source))
