"""Where the weights come from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aws_cdk import aws_sagemaker as sagemaker

from constructs_lib._arguments import BUCKET, SECRET
from constructs_lib.endpoint.s3_location import S3Archive, S3Folder
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
    """The weights that an endpoint serves.

    Create one with `Model.from_hub`, `Model.from_s3` or `Model.from_s3_archive`. Shards, memory, context and timeouts
    are computed from the shape of the weights, which comes from the first of these that is known:

    - `facts`: the shape itself, such as what `tgi-endpoint models add` has read from a config.json;
    - `model_id`: what the weights are, if the catalogue has it. Clients see this name, whether the catalogue has it or
      not;
    - `like`: the model of the catalogue that they have the shape of, usually the base model of a fine-tune.

    Without any of them nothing is computed, and a warning says so. If you have compressed the weights yourself, name
    the base model and say how they are compressed with `options.quantize`.
    """

    @staticmethod
    def from_hub(
        model_id: str,
        *,
        revision: str | None = None,
        token: secretsmanager.ISecret | None = None,
        like: str | None = None,
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
            like: Model of the catalogue that has the same shape. Default: the catalogue's row of `model_id`.
            facts: Shape of the model, instead of `like`. Default: as with `like`.
        """
        return _HubModel(model_id, revision, token, like, facts)

    @staticmethod
    def from_s3(
        bucket: s3.IBucket,
        prefix: str,
        *,
        model_id: str | None = None,
        like: str | None = None,
        facts: ModelFacts | None = None,
        accept_eula: bool = False,
    ) -> Model:
        """Weights that SageMaker copies from a folder in S3 and mounts at /opt/ml/model.

        Nothing is downloaded from the hub, so the endpoint needs no route to the internet.

        Args:
            bucket: Bucket in the endpoint's Region. A bucket in another account must allow the endpoint's role to
                read it.
            prefix: Folder of the bucket with the model's uncompressed files: `config.json`, the tokenizer and
                `*.safetensors`, none of them in a subfolder. `""` is the entire bucket. A folder that was created in
                the S3 console is an object of its own, which SageMaker rejects.
            model_id: Repository on the hub that the weights are a copy of; clients see its name. Default: none.
            like: Model of the catalogue that has the same shape. Default: the catalogue's row of `model_id`.
            facts: Shape of the model, instead of `like`. Default: as with `like`.
            accept_eula: Whether you accept the licence agreement of weights in a bucket of SageMaker JumpStart.
                Default: False.
        """
        return _S3Model(S3Folder(bucket, prefix), accept_eula, model_id, like, facts)

    @staticmethod
    def from_s3_archive(
        bucket: s3.IBucket,
        key: str,
        *,
        model_id: str | None = None,
        like: str | None = None,
        facts: ModelFacts | None = None,
        accept_eula: bool = False,
    ) -> Model:
        """Weights in one compressed archive, as training jobs write it, which SageMaker unpacks into /opt/ml/model.

        Unpacking takes minutes that files in a folder (`Model.from_s3`) do not take, and storage for both the archive
        and its contents.

        Args:
            bucket: Bucket in the endpoint's Region. A bucket in another account must allow the endpoint's role to
                read it.
            key: The archive, such as `my-training-job/output/model.tar.gz`. It has the model's files at its top, none
                of them in a folder and none a symbolic link: `config.json`, the tokenizer and `*.safetensors`.
            model_id: Repository on the hub that the weights are a copy of; clients see its name. Default: none.
            like: Model of the catalogue that has the same shape. Default: the catalogue's row of `model_id`.
            facts: Shape of the model, instead of `like`. Default: as with `like`.
            accept_eula: Whether you accept the licence agreement of weights in a bucket of SageMaker JumpStart.
                Default: False.
        """
        return _S3Model(S3Archive(bucket, key), accept_eula, model_id, like, facts)

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

    def resources(self) -> Mapping[str, object]:
        """The constructs that the model was created from, by keyword, whatever their types are."""
        return {}

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
        self,
        model_id: str,
        revision: str | None,
        token: secretsmanager.ISecret | None,
        like: str | None,
        facts: ModelFacts | None,
    ) -> None:
        self._model_id = model_id
        self._revision = revision
        self._token = token
        self._like = like
        self._facts = facts

    @property
    def model_id(self) -> str | None:
        return self._model_id

    def spec(self) -> ModelChoice:
        return ModelChoice(
            source="hub",
            hub_id=self._model_id,
            revision=self._revision,
            has_token=self._token is not None,
            like=self._like,
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

    def resources(self) -> Mapping[str, object]:
        return {"model.token": self._token}

    def bind(self, role: ExecutionRole, *, token_variables: Iterable[str]) -> ModelBinding:
        if self._token is None:
            return ModelBinding()
        # A dynamic reference: CloudFormation resolves it with the permissions of whoever deploys, so the template never
        # has the value, and the role needs no permission to read it.
        reference = self._token.secret_value.unsafe_unwrap()
        return ModelBinding(environment=dict.fromkeys(token_variables, reference))


class _S3Model(Model):
    def __init__(
        self,
        location: S3Folder | S3Archive,
        accept_eula: bool,
        model_id: str | None,
        like: str | None,
        facts: ModelFacts | None,
    ) -> None:
        self._location = location
        self._accept_eula = accept_eula
        self._model_id = model_id
        self._like = like
        self._facts = facts

    @property
    def model_id(self) -> str | None:
        return self._model_id

    def spec(self) -> ModelChoice:
        bucket = self._location.bucket
        return ModelChoice(
            source="s3",
            hub_id=self._model_id,
            like=self._like,
            facts=self._facts,
            bucket=bucket.bucket_name if BUCKET.matches(bucket) else None,
            is_archive=isinstance(self._location, S3Archive),
            accept_eula=self._accept_eula,
        )

    def validate(self) -> Iterator[Problem]:
        yield from BUCKET.problems("model.bucket", self._location.bucket, required=True)
        yield from self._location.problems()

    def resources(self) -> Mapping[str, object]:
        return {"model.bucket": self._location.bucket}

    def bind(self, role: ExecutionRole, *, token_variables: Iterable[str]) -> ModelBinding:
        del token_variables
        self._location.allow_read(role)
        access = sagemaker.CfnModel.ModelAccessConfigProperty(accept_eula=True) if self._accept_eula else None
        source = sagemaker.CfnModel.S3DataSourceProperty(
            s3_uri=self._location.uri,
            s3_data_type=self._location.data_type,
            compression_type=self._location.compression,
            model_access_config=access,
        )
        return ModelBinding(data_source=sagemaker.CfnModel.ModelDataSourceProperty(s3_data_source=source))
