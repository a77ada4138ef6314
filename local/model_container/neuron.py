"""Runs the container of TGI for Neuron: `python -m local.model_container.neuron --port 0`, like TGI's.

The router is TGI's; the server behind it serves one compiled model. Sources: tgi-entrypoint.sh, tgi_entry_point.py and
server/text_generation_server/{cli,tgi_env,generator}.py below backends/neuron of TGI 3.3.6. Each model has an entry in
the hub's cache here, for the sizes that are asked for.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import replace

from local.model_container.launcher import crashed, read_settings
from local.model_container.program import parser_of, run
from local.model_container.server import create_app
from local.model_container.settings import Settings
from local.model_container.tgi.options import LaunchError

_ENTRY_TOKENS, _ENTRY_BATCH = "4096", "1"
# What the launcher hands on to the server, which has no such argument.
_UNKNOWN_ARGUMENTS = ("QUANTIZE", "DTYPE", "KV_CACHE_DTYPE", "SPECULATE")
_OTHER_ENTRYPOINTS = ("SM_NUM_GPUS", "HF_MODEL_REVISION", "HF_MODEL_QUANTIZE", "HF_MODEL_TRUST_REMOTE_CODE")


def read_neuron_settings(environment: Mapping[str, str]) -> Settings:
    """Reads the settings from SageMaker's environment.

    Raises:
        LaunchError: The container does not start; the message is its output.
    """
    if not environment.get("MODEL_ID"):
        raise LaunchError(
            "Exception: No model id provided ! Either specify it using --model-id cmdline or MODEL_ID env var"
        )
    given = {name: value for name, value in environment.items() if value and name not in _OTHER_ENTRYPOINTS}
    sizes = _sizes(given)
    for name in _UNKNOWN_ARGUMENTS:
        if name in given:
            option = name.lower().replace("_", "-")
            raise LaunchError(f"No such option: --{option}\nShard 0 failed to start\nError: ShardCannotStart")
    if given.get("SHARDED") == "true" or given.get("NUM_SHARD", "1") != "1":
        raise LaunchError("ValueError: Sharding is not supported.\nShard 0 failed to start\nError: ShardCannotStart")
    settings = read_settings({**given, **sizes, "HF_MODEL_ID": given["MODEL_ID"]})
    longest, prefill = settings.max_input_tokens, int(sizes["MAX_BATCH_PREFILL_TOKENS"])
    if longest > prefill:
        raise crashed(f"`max_batch_prefill_tokens` must be >= `max_input_tokens`. Given: {prefill} and {longest}")
    return replace(settings, is_neuron=True)


def _sizes(given: Mapping[str, str]) -> dict[str, str]:
    """The six sizes: as given, else those of an entry of the hub's cache for what is given."""
    total, batch = given.get("MAX_TOTAL_TOKENS", _ENTRY_TOKENS), given.get("MAX_BATCH_SIZE", _ENTRY_BATCH)
    longest = given.get("MAX_INPUT_TOKENS") or given.get("MAX_INPUT_LENGTH") or _half(total)
    prefill = given.get("MAX_BATCH_PREFILL_TOKENS") or _times(batch, longest)
    sizes = {"MAX_TOTAL_TOKENS": total, "MAX_BATCH_SIZE": batch, "MAX_BATCH_PREFILL_TOKENS": prefill}
    return sizes if "MAX_INPUT_LENGTH" in given else {**sizes, "MAX_INPUT_TOKENS": longest}


def _half(total: str) -> str:
    return str(int(total) // 2) if total.isdecimal() else total


def _times(batch: str, longest: str) -> str:
    return str(int(batch) * int(longest)) if batch.isdecimal() and longest.isdecimal() else longest


def main() -> int:
    """Runs the command; returns 1 if the container would reject the environment."""
    arguments = parser_of("python -m local.model_container.neuron", __doc__).parse_args()
    return run(lambda: create_app(read_neuron_settings(os.environ)), arguments)


if __name__ == "__main__":
    sys.exit(main())
