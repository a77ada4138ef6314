"""Which engine runs in an image of AWS's, and its version: by repository and tag."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from constructs_lib.planning.images.catalogue import Cuda, ImageFamily, ImageUri, parse_uri

_FIRST = r"^(\d+\.\d+\.\d+)"
_ENGINES: tuple[tuple[str, str, str, str], ...] = (
    ("huggingface-pytorch-tgi-inference", r"optimum.*-neuronx", "tgi-neuron", r"optimum(\d+\.\d+\.\d+)"),
    ("huggingface-pytorch-tgi-inference", r"tgi.*-gpu", "tgi", r"tgi(\d+\.\d+\.\d+)"),
    ("vllm", r"", "vllm", _FIRST),
    ("huggingface-vllm", r"", "vllm", _FIRST),
    ("sglang", r"", "sglang", _FIRST),
    ("huggingface-sglang", r"", "sglang", _FIRST),
    ("djl-inference", r"-lmi\d", "lmi", _FIRST),
)
"""Repository, what its tag has, the engine, and where the tag has the engine's version."""

_NO_VERSION = "0.0.0"
_CUDA_13_ONLY = "server-sagemaker-cuda-v2"
"""AWS's own builds of vLLM, all with CUDA 13 (aws/deep-learning-containers docs/src/data/vllm-server)."""


@dataclass(frozen=True)
class Container:
    """What is known of a container by the name of its image.

    Args:
        engine: The engine; None if the name does not tell.
        version: The engine's version, `0.0.0` if the name does not tell.
    """

    engine: str | None
    version: str


def container_of(image: str) -> Container:
    """What is known of the container of an image.

    Args:
        image: URI of the image.
    """
    uri = parse_uri(image)
    for repository, has, engine, version in _ENGINES:
        if uri is not None and uri.repository == repository and re.search(has, uri.tag):
            named = re.search(version, uri.tag)
            return Container(engine, named[1] if named else _NO_VERSION)
    return Container(None, _NO_VERSION)


@dataclass(frozen=True)
class PinnedImage(ImageFamily):
    """The one image of a pinned model, as the family that has no other.

    Args:
        uri: Its URI.
        regions_pinned: The Regions that have it. Default: none.
    """

    uri: str = ""
    regions_pinned: tuple[str, ...] = ()

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One row."""
        parsed = self._parsed
        return [
            {
                "version": container_of(self.uri).version,
                "repository": parsed.repository,
                "tag": parsed.tag,
                "accounts": "",
            }
        ]

    def cuda(self, version: str) -> Cuda:
        """See `ImageFamily.cuda`; an image whose tag does not tell counts as one with an old release."""
        return (13, 0) if self._parsed.tag.startswith(_CUDA_13_ONLY) else super().cuda(version)

    def account(self, region: str, version: str) -> str | None:
        """The account; the same in every Region, as another Region is a problem of the model's own."""
        del region, version
        return self._parsed.account

    def _accounts(self, version: str) -> Mapping[str, str]:
        del version
        return dict.fromkeys(self.regions_pinned, self._parsed.account)

    @property
    def _parsed(self) -> ImageUri:
        return parse_uri(self.uri) or ImageUri("", "", "", "")


def pinned_image(uri: str, regions: Iterable[str]) -> PinnedImage:
    """The family of one image.

    Args:
        uri: Its URI.
        regions: The Regions that have it.
    """
    return PinnedImage(
        "jumpstart",
        construct="JumpStartImage",
        cuda_since=(((0, 0, 0), (11, 8)),),
        version_in_tag=r"(?!)",
        uri=uri,
        regions_pinned=tuple(regions),
    )
