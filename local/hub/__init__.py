"""A small Hugging Face hub on the loopback interface: repositories in memory, a CDN on a second port, and faults.

It answers what huggingface_hub and the copier of weights ask for: descriptions, trees in pages, files, redirects to
signed URLs, and refusals with the hub's own headers. huggingface_hub itself downloads from it in the tests.

    repository = Repository("team/llama", {"config.json": b"{}", "model.safetensors": b"..."}, gated=True)
    with Hub([repository], tokens={"hf_member": {"team/llama"}}) as hub:
        hub.faults.add(Cut(after=1000), on="cdn", path="model.safetensors", times=3)
        ...  # HF_ENDPOINT=hub.url, revision=repository.commit
        assert hub.received[-1].token is None
"""

from local.hub.faults import Answer, Cut, Drop, Fault, Faults, Gzip, IgnoreRange, Redirect, Slow, WrongBytes, WrongRange
from local.hub.repository import Repository, StoredFile
from local.hub.server import Hub, Received

__all__ = [
    "Answer",
    "Cut",
    "Drop",
    "Fault",
    "Faults",
    "Gzip",
    "Hub",
    "IgnoreRange",
    "Received",
    "Redirect",
    "Repository",
    "Slow",
    "StoredFile",
    "WrongBytes",
    "WrongRange",
]
