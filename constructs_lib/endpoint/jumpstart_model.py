"""A model of SageMaker JumpStart: its pinned file, and what an endpoint's Model gets from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_sagemaker as sagemaker

from constructs_lib.endpoint.container_image import ContainerImage
from constructs_lib.endpoint.model import Model, ModelBinding
from constructs_lib.planning.engines.jumpstart.pinned import PinnedModel, bucket_name
from constructs_lib.planning.engines.jumpstart.pinned_file import read_pinned
from constructs_lib.planning.models.facts import ModelChoice

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    from constructs_lib.endpoint.execution_role import ExecutionRole
    from constructs_lib.planning.engines.jumpstart.engine import Selection
    from constructs_lib.planning.validation.problem import Problem


class JumpStartModel:
    """A version of a JumpStart model, as `tgi-endpoint jumpstart add` has pinned it.

    Create one with `JumpStartModel.from_file`.
    """

    def __init__(self, pinned: PinnedModel, *, accept_eula: bool = False) -> None:
        self._pinned = pinned
        self._accept_eula = accept_eula

    @staticmethod
    def from_file(path: str | os.PathLike[str], *, accept_eula: bool = False) -> JumpStartModel:
        """The model of a file that `tgi-endpoint jumpstart add` wrote.

        Args:
            path: The file, which is committed with the app.
            accept_eula: Whether you accept the model's licence agreement; the command prints where to read it. Models
                without one ignore it. Default: False.

        Raises:
            JumpStartFileError: The file does not exist or is not such a file. It is a ValueError that names everything
                that is wrong.
        """
        return JumpStartModel(read_pinned(path), accept_eula=accept_eula)

    @property
    def pinned(self) -> PinnedModel:
        """Everything that the file has."""
        return self._pinned

    @property
    def accept_eula(self) -> bool:
        """Whether the caller accepts the licence agreement."""
        return self._accept_eula

    @property
    def model_id(self) -> str:
        """JumpStart's id of the model."""
        return self._pinned.model_id

    @property
    def version(self) -> str:
        """Version of the model."""
        return self._pinned.version

    @property
    def instance_types(self) -> tuple[str, ...]:
        """Names of the instance types that it is pinned for."""
        return tuple(self._pinned.instance_types)


class JumpStartImage(ContainerImage):
    """The image of a pinned model, which its file names."""


class PinnedWeights(Model):
    """The weights of a pinned model in one Region.

    Args:
        selection: What of the model the endpoint runs.
        accept_eula: Whether the caller accepts the licence agreement.
        problems: What is wrong with the endpoint, apart from what the plan sees.
    """

    def __init__(self, selection: Selection, *, accept_eula: bool, problems: Sequence[Problem]) -> None:
        self._selection = selection
        self._accept_eula = accept_eula
        self._problems = tuple(problems)

    @property
    def model_id(self) -> str | None:
        """Repository on the hub that the weights are a copy of; None if AWS does not say."""
        return self._selection.model.hub_id

    def spec(self) -> ModelChoice:
        """See `Model.spec`."""
        return ModelChoice(
            source="s3",
            hub_id=self.model_id,
            is_archive=self._selection.instance.is_archive,
            accept_eula=self._accept_eula is True,
            is_prescribed=True,
        )

    def validate(self) -> Iterable[Problem]:
        """See `Model.validate`."""
        return self._problems

    def bind(self, role: ExecutionRole, *, token_variables: Iterable[str]) -> ModelBinding:
        """See `Model.bind`; what is gated SageMaker reads with a grant of its own, without the role."""
        del token_variables
        model, instance, region = self._selection.model, self._selection.instance, self._selection.region
        if region is None:
            raise AssertionError("a plan without problems has a Region")
        bucket = bucket_name(region, gated=model.is_gated)
        if not model.is_gated:
            role.allow_public_read(bucket, instance.artifact)
        access = sagemaker.CfnModel.ModelAccessConfigProperty(accept_eula=True) if model.has_agreement else None
        source = sagemaker.CfnModel.S3DataSourceProperty(
            s3_uri=f"s3://{bucket}/{instance.artifact}",
            s3_data_type="S3Object" if instance.is_archive else "S3Prefix",
            compression_type="Gzip" if instance.is_archive else "None",
            model_access_config=access,
        )
        return ModelBinding(data_source=sagemaker.CfnModel.ModelDataSourceProperty(s3_data_source=source))
