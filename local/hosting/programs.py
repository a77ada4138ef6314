"""Which program stands in for the container of a model: the repository of its image says so."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.deployment.deployed_endpoint import DeployedContainer

ENGINE = "TOY_ENGINE"
"""The variable that names what an image is of which this is not known: one of `PROGRAMS`."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program that answers as a container does.

    Args:
        title: What it answers as.
        module: What to run.
        engine: Its argument `--engine`, if it has several.
    """

    title: str
    module: str
    engine: str | None = None

    def arguments(self, container: DeployedContainer) -> list[str]:
        """The arguments of Python that run it for a container."""
        command = ["-m", self.module]
        if self.engine is not None:
            repository, tag = _repository_and_tag(container.image)
            command += ["--engine", self.engine, "--image", f"{repository}:{tag}"]
            command += ["--artifact"] if container.has_artifact else []
        return command


_OPENAI = "local.model_container.openai"
PROGRAMS: Mapping[str, Program] = {
    "tgi": Program("TGI", "local.model_container"),
    "tgi-neuron": Program("TGI for Neuron", "local.model_container.neuron"),
    "vllm": Program("vLLM", _OPENAI, "vllm"),
    "sglang": Program("SGLang", _OPENAI, "sglang"),
    "lmi": Program("DJL LMI", _OPENAI, "lmi"),
}
_REPOSITORIES = {
    "huggingface-pytorch-tgi-inference": "tgi",
    "vllm": "vllm",
    "huggingface-vllm": "vllm",
    "sglang": "sglang",
    "huggingface-sglang": "sglang",
    "djl-inference": "lmi",
}
_NEURON = re.compile(r"-neuronx?-|-inf\d-")
"""In a tag of TGI's repository, which has the images for Neuron as well."""

# What the variables of an image of one's own tell: those that only one engine's entrypoint reads.
_PREFIXES = {"SM_VLLM_": "vllm", "SM_SGLANG_": "sglang", "OPTION_": "lmi", "HF_NUM_CORES": "tgi-neuron"}


def program_of(container: DeployedContainer) -> Program:
    """The program for a container. It is TGI's if neither its image nor its variables tell another.

    Raises:
        UserError: A variable names none of the programs.
    """
    named = container.environment.get(ENGINE) or os.environ.get(ENGINE)
    if named is not None:
        if named not in PROGRAMS:
            raise UserError(f"{ENGINE}={named}: is none of {', '.join(PROGRAMS)}.", "Name one of them.")
        return PROGRAMS[named]
    repository, tag = _repository_and_tag(container.image)
    known = _REPOSITORIES.get(repository)
    if known == "tgi" and _NEURON.search(tag):
        known = "tgi-neuron"
    told = (engine for prefix, engine in _PREFIXES.items() for name in container.environment if name.startswith(prefix))
    return PROGRAMS[known or next(told, "tgi")]


def is_known(container: DeployedContainer) -> bool:
    """Whether the image of a container is one of an engine's, so that it answers as its program does."""
    return _repository_and_tag(container.image)[0] in _REPOSITORIES


def _repository_and_tag(image: str) -> tuple[str, str]:
    """The last part of an image's name, and its tag."""
    repository, _, tag = image.partition("@")[0].rpartition("/")[2].partition(":")
    return repository, tag
