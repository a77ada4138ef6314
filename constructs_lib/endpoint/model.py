"""Where the weights come from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aws_cdk import RemovalPolicy
from aws_cdk import aws_sagemaker as sagemaker

from constructs_lib._arguments import BUCKET, SECRET
from constructs_lib.endpoint.s3_location import S3Archive, S3Folder
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.validation.problem import HIDDEN, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from aws_cdk import CfnResource
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_logs as logs
    from aws_cdk import aws_s3 as s3
    from aws_cdk import aws_secretsmanager as secretsmanager
    from constructs import Construct

    from constructs_lib.endpoint.execution_role import ExecutionRole
    from constructs_lib.planning.models.facts import ModelFacts
    from constructs_lib.planning.validation.problem import PlanWarning


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelBinding:
    """What the SageMaker Model gets from the weights.

    Args:
        environment: Variables whose values only the deployment knows. Default: none.
        data_source: What SageMaker mounts into the container. Default: nothing.
        after: What the Model waits for. Default: nothing.
    """

    environment: Mapping[str, str] = field(default_factory=dict)
    data_source: sagemaker.CfnModel.ModelDataSourceProperty | None = None
    after: tuple[CfnResource, ...] = ()


class Model(ABC):
    """The weights that an endpoint serves.

    Create one with `Model.from_hub`, `Model.staged`, `Model.from_s3` or `Model.from_s3_archive`. Shards, memory,
    context and timeouts are computed from the shape of the weights, which comes from the first of these that is known:

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
    def staged(
        model_id: str,
        *,
        revision: str,
        bucket: s3.IBucket,
        prefix: str = "",
        token: secretsmanager.ISecret | None = None,
        include: Sequence[str] | None = None,
        exclude: Sequence[str] | None = None,
        trust_remote_code: bool = False,
        pickles: bool = False,
        hub: str | None = None,
        like: str | None = None,
        facts: ModelFacts | None = None,
        log_retention: logs.RetentionDays | None = None,
        encryption_key: kms.IKey | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> Model:
        """Weights of one commit on the Hugging Face hub, which the deployment copies into a bucket first.

        The endpoint reads them from there as with `Model.from_s3`: it needs no route to the internet and no token, and
        can use network isolation. A job of CodeBuild copies them, compares each file with the digest that the hub has
        of it, and writes a manifest last; CloudFormation waits for it before it creates the SageMaker Model, at most 12
        hours. Weights that are complete in the bucket are not copied again. docs/staging.md has the resources, the
        failures and what they cost.

        Give the same object to every endpoint of a stack that serves these weights: they share one copy.

        Args:
            model_id: Repository on the hub, such as `meta-llama/Llama-3.1-8B-Instruct`; clients see this name.
            revision: The commit, 40 hexadecimal digits, which `tgi-endpoint models pin <id>` finds.
            bucket: Bucket in the endpoint's Region, of another stack or imported. The key of an imported one has to be
                told to the CDK: `Bucket.from_bucket_attributes(…, encryption_key=…)`.
            prefix: Folder of the bucket for all copies. Default: the bucket itself.
            token: Secret whose entire value is a hub token with read access; gated models require one. The job alone
                reads it, while it runs: neither the template nor the endpoint nor the function has it. Default: no
                token.
            include: Patterns of the files to copy, as those of huggingface_hub's `allow_patterns`. Default:
                safetensors, tokenizer, configurations, chat templates and the licence.
            exclude: Patterns of files to leave out of those. Default: the same weights in other formats.
            trust_remote_code: Whether to copy the repository's Python files as well, which options of the engine with
                this name need. Default: False.
            pickles: Whether to copy pickled weights as well (`.bin`, `.pt`, `.pth`), which can run code when they are
                read. Default: False.
            hub: URL of a mirror of the hub. Default: Hugging Face's hub.
            like: Model of the catalogue that has the same shape. Default: the catalogue's row of `model_id`.
            facts: Shape of the model, instead of `like`. Default: as with `like`.
            log_retention: How long the logs of the job and of its function keep an event. The job's log is kept when
                the stack is deleted or rolled back. Default: three months.
            encryption_key: KMS key of these logs and of the CodeBuild project. Default: AWS's keys.
            removal_policy: `DESTROY` deletes the files that the manifest lists, and the manifest, when no endpoint of
                the stack has these weights any more, whoever else reads them. Default: the weights are kept.
        """
        # Imported here, as it costs time and few models are staged.
        from constructs_lib.endpoint.staging.staged_model import StagedModel
        from constructs_lib.planning.staging import StagedFiles

        files = StagedFiles(
            repository=model_id,
            revision=revision,
            prefix=prefix,
            include=include,
            exclude=exclude,
            trust_remote_code=trust_remote_code,
            pickles=pickles,
            hub=hub,
        )
        return StagedModel(
            files,
            bucket=bucket,
            token=token,
            like=like,
            facts=facts,
            log_retention=log_retention,
            encryption_key=encryption_key,
            removal_policy=removal_policy,
        )

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

    def warnings(self, scope: Construct) -> Iterable[PlanWarning]:
        """What is legal but risky that no plan sees.

        Args:
            scope: A construct of the endpoint's stack.
        """
        del scope
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
