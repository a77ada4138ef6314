"""Records what real vLLM servers answer to requests in TGI's words: `python -m tests.engines.record [VERSION…]`.

The front door translates the requests; `tests/conformance/vllm/recorded/generate-….json` has what it sent and what it
got, and the tokens of the model are beside it. `git diff` shows what another version answers differently.
"""

from __future__ import annotations

import json
import os
import sys

from tests.conformance.vllm import vocabulary
from tests.e2e.deployed_cloud import ROOT
from tests.engines import tiny_llama
from tests.engines.images import entrypoint
from tests.engines.installation import HUB, REVISION, VERSIONS
from tests.engines.server import VllmServer
from tests.engines.stack import container_environment

sys.path.insert(0, str(ROOT / "lambda"))

from tests.engines.recording import record


def write_tokens() -> None:
    """Write the tokens of the model."""
    snapshot = HUB / "hub" / f"models--{tiny_llama.HUB_ID.replace('/', '--')}" / "snapshots" / REVISION
    tokenizer = json.loads((snapshot / "tokenizer.json").read_text())
    ids = tokenizer["model"]["vocab"] | {added["content"]: added["id"] for added in tokenizer["added_tokens"]}
    special = sorted(added["id"] for added in tokenizer["added_tokens"] if added["special"])
    end = json.loads((snapshot / "config.json").read_text())["eos_token_id"]
    kept = {"tokens": sorted(ids, key=lambda token: ids[token]), "special": special, "end": end}
    vocabulary.FILE.write_text(json.dumps(kept, ensure_ascii=False) + "\n", encoding="utf-8")


def main(versions: list[str]) -> None:
    """Start a server of each version, and record."""
    os.environ |= {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token"}
    write_tokens()
    for version in versions or VERSIONS:
        server = VllmServer(version, container_environment(version), entrypoint(version))
        try:
            server.wait_until_ready()
            record(version, server.url)
        finally:
            server.kill()


if __name__ == "__main__":
    main(sys.argv[1:])
