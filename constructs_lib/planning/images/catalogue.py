"""Deep Learning Container images: which repository, tag and account, by version and Region.

images.json is written by scripts/generate_images.py from sagemaker-core; a test compares it with
`sagemaker.core.image_uris.retrieve`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from constructs_lib.planning.data_files import read

Version = tuple[int, int, int]
Cuda = tuple[int, int]

# The suffix of the host may be a CDK token.
_URI = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.[^/]+"
    r"/(?P<repository>[a-z0-9._/-]+)(?::(?P<tag>[\w.-]+))?(?:@sha256:[0-9a-f]+)?",
    re.ASCII,
)
_BUILD = re.compile(r"(?:-v\d+(?:\.\d+)*)?(?:-\d{4}(?:-\d{2}){2}(?:-\d{2})*)?$", re.ASCII)
_NEURON = re.compile(r"neuronx?|-inf\d")
_FULL = re.compile(r"(\d+)\.(\d+)\.(\d+)", re.ASCII)


def parse_version(text: str) -> Version | None:
    """The version as numbers, such as (3, 3, 6); None for text that is not a full version."""
    found = _FULL.fullmatch(text)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def format_version(version: Version) -> str:
    """The version as text, such as `3.3.6`."""
    return ".".join(map(str, version))


@dataclass(frozen=True, kw_only=True)
class ImageChoice:
    """Which container image the endpoint runs.

    Args:
        version: Version of the engine in it, such as `3.3.6`; it decides the rules even for an image of your own.
        uri_override: Whether the caller names the image, so that the catalogue is not asked for it.
        uri: Its URI then; None if it is not known at synth.
        own_build: Whether it is a build or a fork of the engine that may differ from that version.
        family: The images that it is one of, where others than AWS's publish some of the engine. Default: the engine's.
        mirrored: Whether it is the catalogue's image in a registry of the caller's, which may be in any Region.
    """

    version: str
    uri_override: bool = False
    uri: str | None = None
    own_build: bool = False
    family: ImageFamily | None = None
    mirrored: bool = False


@dataclass(frozen=True, slots=True)
class ImageUri:
    """The parts of the URI of an image in a private ECR repository; `tag` is empty if it is named by its digest."""

    account: str
    region: str
    repository: str
    tag: str

    @property
    def stem(self) -> str:
        """The tag without the number of its build."""
        return _BUILD.sub("", self.tag)

    @property
    def is_for_gpus(self) -> bool:
        """Whether it is for GPUs, by its tag."""
        return "gpu" in self.tag.split("-")

    @property
    def is_for_neuron(self) -> bool:
        """Whether it is for Inferentia and Trainium, by its name."""
        return _NEURON.search(f"{self.repository}:{self.tag}") is not None


def parse_uri(text: str) -> ImageUri | None:
    """The parts of a URI; None if it is not one of a private ECR repository, or has parts that are not known."""
    found = _URI.fullmatch(text)
    return ImageUri(found["account"], found["region"], found["repository"], found["tag"] or "") if found else None


@dataclass(frozen=True)
class ImageFamily:
    """The images of one engine.

    Args:
        name: Family in images.json, such as `huggingface-llm`.
        construct: Class of the constructs that names such an image, for messages: `TgiImage`.
        cuda_since: CUDA release by the first version that has it, the newest version first; for versions that are not
            in the catalogue.
        version_in_tag: Pattern whose group is the engine's version in a tag.
        unlisted_tags: Pattern of further tags in its repositories, of which the catalogue has none. Default: there are
            none.
        method: Method of that class that takes a version. Default: version.
        mapping: What the name of the Mapping of Regions and accounts in a template begins with. Default: by the name of
            the family.
    """

    name: str
    construct: str
    cuda_since: tuple[tuple[Version, Cuda], ...]
    version_in_tag: str
    unlisted_tags: str = "(?!)"
    method: str = "version"
    mapping: str = ""

    def __post_init__(self) -> None:
        if not self.mapping:
            words = "".join(word.capitalize() for word in self.name.split("-"))
            object.__setattr__(self, "mapping", f"{words}ImageAccounts")

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions in the catalogue, oldest first."""
        return tuple(row["version"] for row in self.rows)

    @property
    def newest(self) -> str:
        """The newest version in the catalogue."""
        return self.versions[-1]

    def newest_like(self, text: object) -> str:
        """The newest version that a text such as `1.4` abbreviates, else the newest of all."""
        return next((known for known in reversed(self.versions) if known.startswith(f"{text}.")), self.newest)

    @property
    def newest_version(self) -> Version:
        """The same as numbers."""
        return parse_version(self.newest) or (0, 0, 0)

    def repository_and_tag(self, version: str) -> tuple[str, str] | None:
        """Repository and tag, such as ("huggingface-pytorch-tgi-inference", "2.7.0-tgi3.3.6-gpu-…").

        Args:
            version: A full version, such as `3.3.6`. Aliases such as `3.3` are not known, because they move.

        Returns:
            None for a version that the catalogue does not have.
        """
        row = self._row(version)
        return (row["repository"], row["tag"]) if row else None

    @property
    def repositories(self) -> frozenset[str]:
        """The names of the repositories."""
        return frozenset(row["repository"] for row in self.rows)

    def is_in_registry(self, uri: ImageUri) -> bool:
        """Whether an image is in one of the accounts from which AWS publishes images."""
        return uri.account in self._accounts(self.newest).values()

    def tags(self, version: str) -> frozenset[str]:
        """Every tag under which AWS publishes the image of a version, without the numbers of builds.

        `2.0.1-tgi1.1.0-gpu-…` is `2.0-tgi1.1-gpu-…` and `2.0.1-gpu-…` as well, each with the suffixes `-v1`, `-v1.0`
        and that with a date (aws/sagemaker-python-sdk, issue 4194, lists those of one image).
        """
        found = self.repository_and_tag(version)
        framework, engine, rest = [*_BUILD.sub("", found[1]).split("-", 2), "", ""][:3] if found else ("", "", "")
        return frozenset(
            "-".join(part for part in (one, other, rest) if part)
            for one in (framework, framework.rpartition(".")[0])
            for other in (engine, engine.rpartition(".")[0], "")
        )

    def named_version(self, uri: ImageUri) -> str | None:
        """The version of the engine that a tag names, such as `3.3.6` or `3.3`; None if it names none."""
        found = re.search(self.version_in_tag, uri.tag)
        return found[1] if found else None

    def has_tag(self, version: str, uri: ImageUri) -> bool:
        """Whether AWS may publish an image under a tag, for all that the catalogue knows of a version."""
        return (
            self.repository_and_tag(version) is None
            or uri.stem in self.tags(version)
            or re.fullmatch(self.unlisted_tags, uri.tag) is not None
        )

    def account(self, region: str, version: str) -> str | None:
        """The account, 12 digits, whose registry holds an image in a Region; None if AWS does not offer it there."""
        return self._accounts(version).get(region)

    def regions(self, version: str) -> tuple[str, ...]:
        """The Regions that have the image of a version, sorted."""
        return tuple(sorted(self._accounts(version)))

    def cuda(self, version: str) -> Cuda:
        """The CUDA release of an image: that of its tag, else that of the catalogue's images of the time."""
        row = self._row(version)
        named = re.search(r"-cu(\d+)(\d)(?:-|$)", row["tag"]) if row else None
        if named:
            return (int(named[1]), int(named[2]))
        parsed = parse_version(version) or (0, 0, 0)
        return next((cuda for since, cuda in self.cuda_since if parsed >= since), self.cuda_since[-1][1])

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of images.json, oldest first. A family that is not in that file overrides them."""
        rows: list[dict[str, Any]] = read("images/images")["families"][self.name]
        return rows

    def _row(self, version: str) -> dict[str, Any] | None:
        return next((row for row in self.rows if row["version"] == version), None)

    def _accounts(self, version: str) -> Mapping[str, str]:
        row = self._row(version)
        accounts: Mapping[str, str] = read("images/images")["accounts"][row["accounts"]] if row else {}
        return accounts


def url_suffix(region: str) -> str | None:
    """The suffix of a Region's host names, such as `amazonaws.com.cn`; None for an unknown Region."""
    suffix: str | None = read("images/images")["suffixes"].get(region)
    return suffix


def known_regions() -> tuple[str, ...]:
    """Every Region whose suffix is known, sorted."""
    return tuple(sorted(read("images/images")["suffixes"]))
