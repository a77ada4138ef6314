"""Weights that SageMaker has nothing to do with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs_lib.endpoint.model import Model, ModelBinding
from constructs_lib.planning.models.facts import ModelChoice

if TYPE_CHECKING:
    from collections.abc import Iterable

    from constructs_lib.endpoint.execution_role import ExecutionRole


class ImageWeights(Model):
    """Weights in the container's image, or ones that the container gets itself."""

    @property
    def model_id(self) -> str | None:
        """See `Model.model_id`."""
        return None

    def spec(self) -> ModelChoice:
        """See `Model.spec`."""
        return ModelChoice(source="image")

    def bind(self, role: ExecutionRole, *, token_variables: Iterable[str]) -> ModelBinding:
        """See `Model.bind`."""
        del role, token_variables
        return ModelBinding()
