"""Images of the caller's own, which no catalogue has."""

from __future__ import annotations

from typing import Any

from constructs_lib.planning.images.catalogue import Cuda, ImageFamily

UNVERSIONED = "0.0.0"
"""Stands for the version of what is in such an image: no rule depends on it."""

NO_CUDA: Cuda = (0, 0)
"""Stands for the CUDA release of an image of which none is declared."""


class OwnImages(ImageFamily):
    """The family of one image of the caller's.

    Args:
        cuda: The CUDA release that is declared for it, if any.
    """

    def __init__(self, cuda: Cuda | None = None) -> None:
        since = (((0, 0, 0), cuda or NO_CUDA),)
        super().__init__(
            "own", construct="OwnImage", cuda_since=since, version_in_tag=r"(?!)", method="from_ecr_repository"
        )

    @property
    def rows(self) -> list[dict[str, Any]]:
        """None: AWS publishes no such images."""
        return []

    @property
    def newest(self) -> str:
        """What stands for the version of such an image."""
        return UNVERSIONED

    @property
    def declares_cuda(self) -> bool:
        """Whether the caller says which CUDA release the image has."""
        return self.cuda(UNVERSIONED) != NO_CUDA
