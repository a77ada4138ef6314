"""The handler, invoked as Lambda does: moto's S3, a double of CodeBuild, and a server that takes what is signed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from staging_starter import settling
from staging_starter.handler import handler
from weights_copier.manifest import Entry, write_manifest
from weights_copier.request import StagingRequest

BUCKET = "team-weights"
REPOSITORY = "Qwen/Qwen2.5-7B-Instruct"
COMMIT = "0e9e39f249a16976918f6564b8830bc894c89659"
REQUEST = StagingRequest(repository=REPOSITORY, revision=COMMIT, bucket=BUCKET)
FOLDER = f"models/{REPOSITORY}/{COMMIT}/"
MANIFEST = f"manifests/{REPOSITORY}/{COMMIT}.json"
FILES = {"config.json": b"{}", "model.safetensors": b"w" * 2000, "sub folder/ü.txt": b"x"}
SIGNATURE = "X-Amz-Signature=0f"
BUILD = "project:11111111-2222-3333-4444-555555555555"


def refusal(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")


@dataclass
class CodeBuildDouble:
    """What the handler asks of CodeBuild, and what it answers."""

    replies: list[Exception] = field(default_factory=list)
    started: list[dict[str, Any]] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    builds: list[dict[str, Any]] = field(default_factory=list)
    missing: bool = False

    def start_build(self, **request: Any) -> dict[str, Any]:
        self.started.append(request)
        if self.replies:
            raise self.replies.pop(0)
        return {"build": {"id": BUILD}}

    def stop_build(self, *, id: str) -> dict[str, Any]:
        if self.replies:
            raise self.replies.pop(0)
        self.stopped.append(id)
        return {}

    def list_builds_for_project(self, *, projectName: str, nextToken: str | None = None) -> dict[str, Any]:  # noqa: N803
        if self.missing:
            raise refusal("ResourceNotFoundException", f"{projectName} does not exist.")
        ids = [one["id"] for one in self.builds]
        return {"ids": ids[1:]} if nextToken else {"ids": ids[:1], **({"nextToken": "2"} if len(ids) > 1 else {})}

    def batch_get_builds(self, *, ids: list[str]) -> dict[str, Any]:
        return {"builds": [one for one in self.builds if one["id"] in ids]}


@dataclass
class Deployment:
    """What CloudFormation asks for and is told."""

    url: str
    code_build: CodeBuildDouble
    puts: list[tuple[str, dict[str, Any], str]]
    capsys: pytest.CaptureFixture[str]

    @property
    def handle(self) -> str:
        return f"{self.url}/handle%7C1?{SIGNATURE}"

    @property
    def answer(self) -> dict[str, Any]:
        """The only answer of the custom resource."""
        (found,) = (body for path, body, _ in self.puts if path.startswith("/response"))
        return found

    @property
    def signals(self) -> list[dict[str, Any]]:
        """What the wait condition was told."""
        return [body for path, body, _ in self.puts if path.startswith("/handle")]

    def send(self, request_type: str = "Create", *, request: StagingRequest = REQUEST, **members: Any) -> None:
        properties = {
            "ServiceToken": "arn:aws:lambda:eu-west-1:123456789012:function:starter",
            "ServiceTimeout": "300",
            "Project": "project",
            "ComputeType": "BUILD_GENERAL1_MEDIUM",
            "Request": json.dumps(request.to_json()),
            "Handle": self.handle,
            "Hash": "0123456789",
            **members.pop("properties", {}),
        }
        event = {
            "RequestType": request_type,
            "ResponseURL": f"{self.url}/response?{SIGNATURE}",
            "StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/Team/1",
            "RequestId": "request-1",
            "ResourceType": "Custom::StagedWeights",
            "LogicalResourceId": "Weights",
            "ResourceProperties": properties,
            **({} if request_type == "Create" else {"PhysicalResourceId": f"{BUCKET}/{FOLDER}"}),
            **members,
        }
        handler(event, None)

    def end(self, status: str, **members: Any) -> None:
        """Let a build end, and tell the handler as EventBridge does."""
        self.code_build.builds = [self.build(status, **members)]
        arn = f"arn:aws:codebuild:eu-west-1:123456789012:build/{BUILD}"
        handler({"source": "aws.codebuild", "detail": {"build-id": arn, "build-status": status}}, None)

    def build(self, status: str, id: str = BUILD, **members: Any) -> dict[str, Any]:
        variables = {
            "STAGING_REQUEST": json.dumps(REQUEST.to_json()),
            "WAIT_HANDLE_URL": self.handle,
            "UNIQUE_ID": "0123456789",
        } | members.pop("variables", {})
        described = [{"name": name, "value": value} for name, value in variables.items() if value is not None]
        return {
            "id": id,
            "buildStatus": status,
            "currentPhase": "COMPLETED",
            "timeoutInMinutes": 30,
            "queuedTimeoutInMinutes": 20,
            "environment": {"environmentVariables": described},
            "logs": {"groupName": "Team-ProjectLogs", "streamName": "1111"},
            "phases": [],
            **members,
        }

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.capsys.readouterr().out.splitlines()]


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """moto's S3, with the bucket."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        yield client


@pytest.fixture
def deployment(s3: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Deployment]:
    code_build, puts = CodeBuildDouble(), []
    real = boto3.client

    def client(service: str, **arguments: Any) -> Any:
        return code_build if service == "codebuild" else real(service, **arguments)

    monkeypatch.setattr(boto3, "client", client)
    monkeypatch.setattr(settling, "PAUSE_SECONDS", 0.01)

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            puts.append((self.path, body, self.headers["Content-Type"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Deployment(f"http://127.0.0.1:{server.server_port}", code_build, puts, capsys)
    server.shutdown()
    server.server_close()


def put_weights(s3: Any, request: StagingRequest = REQUEST) -> None:
    """What a finished copy has written."""
    entries = []
    for path, body in FILES.items():
        etag = s3.put_object(Bucket=BUCKET, Key=f"{request.places.folder}{path}", Body=body)["ETag"]
        entries.append(Entry(path, len(body), "sha256:0", etag))
    s3.put_object(Bucket=BUCKET, Key=request.places.manifest, Body=write_manifest(request, entries))


def keys_in(s3: Any) -> set[str]:
    return {item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])}
