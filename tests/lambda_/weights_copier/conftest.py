"""A hub and an S3 on the loopback interface, and a copier between them that loses no time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from weights_copier.failure import StagingError
from weights_copier.hub import Hub
from weights_copier.lock import LockTimes
from weights_copier.patience import Patience
from weights_copier.progress import LineProgress
from weights_copier.request import StagingRequest
from weights_copier.s3 import Bucket
from weights_copier.staging import Outcome, Settings, Staging
from weights_copier.upload import Flow

from local.hub import Hub as HubServer
from local.hub import Repository
from tests.s3_server import s3_server

KIB = 2**10
PART = 256 * KIB

QUICK = Patience(first_wait=0.01, max_wait=0.05)
SMALL = Flow(PART, reads=3, writes=2)
SOON = LockTimes(renew=0.2, stale=30, poll=0.05)

WEIGHTS = bytes(range(256)) * (600 * KIB // 256) + b"the end"
FILES = {
    "README.md": b"# A model",
    "config.json": b'{"model_type": "llama"}',
    "model.safetensors": WEIGHTS,
    "original/params.json": b"{}",
    "pytorch_model.bin": b"a pickle",
    "special ünïcode ✓/empty.txt": b"",
    "tokenizer.json": b'{"version": "1.0"}',
}
STAGED = ("config.json", "model.safetensors", "special ünïcode ✓/empty.txt", "tokenizer.json")
TOKENS = {"hf_member": {"meta/gated", "team/llama"}, "hf_stranger": set()}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    # S3 takes no part under 5 MiB except the last one; such large files would only take time here.
    with pytest.MonkeyPatch.context() as monkeypatch, s3_server() as url:
        monkeypatch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", PART)
        yield url


@dataclass
class Cloud:
    """A bucket of its own for each test, and what is in it."""

    client: Any
    url: str
    name: str = field(default_factory=lambda: f"weights-{uuid4().hex[:12]}")

    @property
    def keys(self) -> list[str]:
        found = self.client.list_objects_v2(Bucket=self.name).get("Contents", ())
        return sorted(one["Key"] for one in found)

    @property
    def uploads(self) -> list[str]:
        return [one["Key"] for one in self.client.list_multipart_uploads(Bucket=self.name).get("Uploads", ())]

    def read(self, key: str) -> bytes:
        content: bytes = self.client.get_object(Bucket=self.name, Key=key)["Body"].read()
        return content

    def put(self, key: str, body: bytes = b"") -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=body)


@pytest.fixture
def cloud(s3_url: str) -> Cloud:
    config = Config(retries={"mode": "standard", "total_max_attempts": 3}, proxies={})
    cloud = Cloud(boto3.client("s3", endpoint_url=s3_url, region_name="eu-west-1", config=config), s3_url)
    cloud.client.create_bucket(Bucket=cloud.name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return cloud


@pytest.fixture
def repository() -> Repository:
    return Repository("team/llama", FILES)


@pytest.fixture
def hub(repository: Repository) -> Iterator[HubServer]:
    gated = Repository("meta/gated", {"config.json": b"{}", "model.safetensors": b"weights"}, gated=True)
    private = Repository("team/private", {"config.json": b"{}"}, private=True)
    with HubServer([repository, gated, private], tokens=TOKENS) as hub:
        yield hub


@dataclass
class Copier:
    """Copies the hub's repository into the bucket, in small parts, without waits."""

    hub: HubServer
    cloud: Cloud
    repository: Repository
    lines: list[str] = field(default_factory=list)

    def request(self, **fields: Any) -> StagingRequest:
        about = {"repository": self.repository.name, "revision": self.repository.commit, "bucket": self.cloud.name}
        return StagingRequest(**{**about, "hub": self.hub.url, **fields})

    def staging(
        self,
        *,
        token: str | None = None,
        patience: Patience = QUICK,
        times: LockTimes = SOON,
        holder: str = "job 1",
        flow: Flow = SMALL,
        **fields: Any,
    ) -> Staging:
        progress = LineProgress(self.lines.append, seconds=0)
        hub = Hub(self.request(**fields), token, "secret hub-token" if token else None, patience, progress.note)
        bucket = Bucket(self.cloud.client, self.cloud.name, fields.get("kms_key"))
        return Staging(hub, bucket, progress, Settings(holder, flow, times))

    def run(self, **options: Any) -> Outcome:
        return self.staging(**options).run()

    def fail(self, **options: Any) -> str:
        """The words of a copy that fails."""
        with pytest.raises(StagingError) as raised:
            self.run(**options)
        assert len(raised.value.words) <= 300
        assert "\n" not in raised.value.words
        return raised.value.words

    @property
    def folder(self) -> str:
        return f"models/{self.repository.name}/{self.repository.commit}/"

    @property
    def manifest(self) -> str:
        return f"manifests/{self.repository.name}/{self.repository.commit}.json"

    @property
    def lock(self) -> str:
        return f"locks/{self.repository.name}/{self.repository.commit}.json"


@pytest.fixture
def copier(hub: HubServer, cloud: Cloud, repository: Repository) -> Copier:
    return Copier(hub, cloud, repository)


@pytest.fixture
def hub_with(cloud: Cloud) -> Iterator[Callable[..., Copier]]:
    """A copier of a repository with other files, at a hub of its own."""
    running: list[HubServer] = []

    def make(files: dict[str, bytes], **options: Any) -> Copier:
        own = Repository("team/other", files)
        server = HubServer([own], **options)
        running.append(server)
        return Copier(server.__enter__(), cloud, own)

    yield make
    for server in running:
        server.__exit__(None, None, None)
