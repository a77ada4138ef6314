"""Which transformers each version of TGI brings, and which architectures that can generate text with.

TGI leaves to it what it has no class of its own for. transformers.json is written by
scripts/generate_transformers_types.py from the releases that are named here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from constructs_lib.planning.data_files import read
from constructs_lib.planning.images.catalogue import Version, format_version, parse_version


@dataclass(frozen=True)
class Pin:
    """A release of transformers, from a version of TGI on.

    Args:
        tgi: First tag of TGI that has it.
        release: The release.
        file: Where that tag says so, below `server/`: the file from which its Dockerfile installs.
    """

    tgi: Version
    release: Version
    file: str


# Until 0.8 TGI built a fork, OlivierDehaene/transformers, at a commit between two releases: b8d969ff (4.28.0.dev0, with
# no model types that concern TGI beyond those of 4.27.4) and 69009822 (4.29.0.dev0, with those of 4.28.1). SageMaker's
# images are built from the same files: the third-party licences of 3.3.4 and 3.3.6 in awslabs/llm-hosting-container
# name 4.51.0 as well, and not the 4.51.3 of requirements_cuda.txt, from which no image is installed.
PINS: tuple[Pin, ...] = (
    Pin((0, 5, 0), (4, 27, 4), "Makefile-transformers"),
    Pin((0, 7, 0), (4, 28, 1), "Makefile-transformers"),
    Pin((0, 9, 0), (4, 30, 2), "requirements.txt"),
    Pin((0, 9, 1), (4, 29, 2), "requirements.txt"),
    Pin((1, 0, 1), (4, 31, 0), "requirements.txt"),
    Pin((1, 0, 3), (4, 32, 1), "requirements.txt"),
    Pin((1, 1, 0), (4, 33, 2), "requirements.txt"),
    Pin((1, 2, 0), (4, 33, 3), "requirements_cuda.txt"),
    Pin((1, 3, 4), (4, 36, 1), "requirements_cuda.txt"),
    Pin((1, 4, 0), (4, 37, 1), "requirements_cuda.txt"),
    Pin((1, 4, 4), (4, 39, 0), "requirements_cuda.txt"),
    Pin((2, 0, 0), (4, 39, 3), "requirements_cuda.txt"),
    Pin((2, 0, 1), (4, 40, 0), "requirements_cuda.txt"),
    Pin((2, 0, 2), (4, 40, 1), "requirements_cuda.txt"),
    Pin((2, 0, 4), (4, 41, 1), "requirements_cuda.txt"),
    Pin((2, 2, 0), (4, 43, 1), "requirements_cuda.txt"),
    Pin((2, 3, 1), (4, 45, 0), "requirements_cuda.txt"),
    Pin((2, 4, 0), (4, 45, 2), "requirements_cuda.txt"),
    Pin((2, 4, 1), (4, 46, 0), "requirements_cuda.txt"),
    Pin((3, 0, 0), (4, 46, 3), "requirements_cuda.txt"),
    Pin((3, 1, 1), (4, 48, 3), "uv.lock"),
    Pin((3, 2, 0), (4, 49, 0), "uv.lock"),
    Pin((3, 2, 3), (4, 51, 0), "uv.lock"),
)
"""The newest last."""

LATER: tuple[Version, ...] = ((4, 51, 3),)
"""Releases that no version of TGI brings, but whose architectures are asked for."""


@dataclass(frozen=True, kw_only=True)
class TransformersClasses:
    """From which of these releases on transformers can generate text with an architecture.

    Args:
        causal_lm: First that has a decoder for it (MODEL_FOR_CAUSAL_LM_MAPPING_NAMES). None: none has.
        attention: First whose decoder leaves its attention to others (`_supports_attention_backend`), as
            TransformersFlash needs. None: none does.
        seq2seq: First that has an encoder and decoder for it (MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES). None:
            none has.
    """

    causal_lm: Version | None = None
    attention: Version | None = None
    seq2seq: Version | None = None


def transformers_of(tgi: Version) -> Version:
    """The release of transformers that a version of TGI brings; that of the oldest known one for older versions."""
    return next((pin.release for pin in reversed(PINS) if pin.tgi <= tgi), PINS[0].release)


def transformers_classes(model_type: str) -> TransformersClasses:
    """What transformers has for an architecture."""
    row: Mapping[str, str] = read("models/transformers")["types"].get(model_type, {})
    return TransformersClasses(**{name: parse_version(release) for name, release in row.items()})


def has_since(release: Version | None, tgi: Version) -> bool:
    """Whether a version of TGI brings that release of transformers or a later one."""
    return release is not None and release <= transformers_of(tgi)


def releases() -> tuple[str, ...]:
    """Every release that is named here, the oldest first."""
    return tuple(format_version(release) for release in sorted({*(pin.release for pin in PINS), *LATER}))
