"""Deep Learning Container images: which repository, tag and account, by version and Region.

The catalogue data/images.json is written by scripts/generate_images.py from sagemaker-core; a test holds it against
`sagemaker.core.image_uris.retrieve`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from constructs_lib.planning.data_files import read

TGI_FAMILY = "huggingface-llm"


@dataclass(frozen=True, kw_only=True)
class ImageChoice:
    """Which container image the endpoint runs.

    Args:
        version: Version of TGI in it, such as `3.3.6`; it decides the rules even for an own image.
        uri_override: The image is the caller's own, so the catalogue is not asked.
    """

    version: str
    uri_override: bool = False


def versions(family: str = TGI_FAMILY) -> tuple[str, ...]:
    """The family's versions in the catalogue, oldest first."""
    return tuple(row["version"] for row in read("images/images")["families"][family])


def image_repository_and_tag(version: str, family: str = TGI_FAMILY) -> tuple[str, str] | None:
    """Repository and tag of a version, such as ("huggingface-pytorch-tgi-inference", "2.7.0-tgi3.3.6-gpu-…").

    Args:
        version: A full version, such as `3.3.6`. Aliases such as `3.3` are not known, because they move.
        family: Family of the catalogue.

    Returns:
        None for a version that the catalogue does not have.
    """
    row = _row(version, family)
    return (row["repository"], row["tag"]) if row else None


def image_account(region: str, version: str | None = None, family: str = TGI_FAMILY) -> str | None:
    """The account whose registry holds the image in that Region.

    Args:
        region: Code of the Region, such as `eu-west-1`.
        version: Version of the image. Default: the newest.
        family: Family of the catalogue.

    Returns:
        Twelve digits; None where AWS does not offer the image.
    """
    row = _row(versions(family)[-1] if version is None else version, family)
    if row is None:
        return None
    account: str | None = read("images/images")["accounts"][row["accounts"]].get(region)
    return account


def regions(version: str | None = None, family: str = TGI_FAMILY) -> tuple[str, ...]:
    """The Regions that have the image, sorted.

    Args:
        version: Version of the image. Default: the newest.
        family: Family of the catalogue.
    """
    row = _row(versions(family)[-1] if version is None else version, family)
    return tuple(sorted(read("images/images")["accounts"][row["accounts"]])) if row else ()


def url_suffix(region: str) -> str | None:
    """The suffix of the Region's host names, such as `amazonaws.com.cn`; None for an unknown Region."""
    suffix: str | None = read("images/images")["suffixes"].get(region)
    return suffix


def cuda_version(version: str, family: str = TGI_FAMILY) -> tuple[int, int] | None:
    """The CUDA release that the image's tag states, such as (12, 4); None for a version that is not catalogued."""
    row = _row(version, family)
    stated = re.search(r"-cu(\d+)(\d)(?:-|$)", row["tag"]) if row else None
    return (int(stated.group(1)), int(stated.group(2))) if stated else None


def _row(version: str, family: str) -> dict[str, Any] | None:
    rows: list[dict[str, Any]] = read("images/images")["families"][family]
    return next((row for row in rows if row["version"] == version), None)


VERSIONS = versions()
"""TGI's versions, oldest first."""

NEWEST = VERSIONS[-1]
"""TGI's newest version on SageMaker."""
