# /// script
# requires-python = ">=3.11"
# dependencies = ["huggingface_hub==0.36.0"]
# [tool.uv]
# exclude-newer = "2026-11-29T00:00:00Z"
# ///
"""The client of the Hugging Face Hub, before version 1."""

from checks import run
from checks_huggingface_hub import CHECKS

run("huggingface_hub", **CHECKS)
