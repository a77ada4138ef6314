"""Runs a container that speaks OpenAI's protocol: `python -m local.model_container.openai --engine vllm --port 0`."""

from __future__ import annotations

import os
import sys

from local.model_container.openai.engines import ENGINES, Image
from local.model_container.program import parser_of, run


def main() -> int:
    """Runs the command; returns 1 if the engine would reject the environment."""
    parser = parser_of("python -m local.model_container.openai", __doc__)
    parser.add_argument("--engine", choices=ENGINES, default="vllm", help="what the container is (default: vllm)")
    parser.add_argument("--image", default="", help="repository and tag of its image, such as vllm:0.30.0")
    parser.add_argument("--artifact", action="store_true", help="the model has weights from S3 in /opt/ml/model")
    arguments = parser.parse_args()
    repository, _, tag = arguments.image.partition(":")
    image = Image(repository, tag, has_artifact=arguments.artifact)
    return run(lambda: ENGINES[arguments.engine](os.environ, image), arguments)


if __name__ == "__main__":
    sys.exit(main())
