"""An emulated account into which the CDK CLI deploys stacks that stage weights from a small hub."""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp

from local.cloud import Cloud
from local.codebuild.build import Build
from local.deployment.cdk_cli import Cdk
from local.deployment.control_plane import ControlPlane
from local.errors import UserError
from local.hosting import ScalingTimes
from local.hub import Hub, Repository
from local.listening import listen
from local.processes import ChildProcesses
from local.staging import HUB
from tests.e2e.own_app import ServedApi
from tests.local.deployment import deployments

APP = Path(__file__).parent / "staged"
NAME = "NousResearch/Meta-Llama-3.1-8B-Instruct"
BUCKET, SECRET, TOKEN = "weights-of-models", "hugging-face-token", "hf_member"
STACKS = ["Staged", "Other"]
HEADER = b"\x02\0\0\0\0\0\0\0{}"
FILES = {
    "config.json": b'{"model_type": "llama"}',
    "tokenizer.json": b"{}",
    "model-00001-of-00002.safetensors": HEADER + b"a" * 200_000,
    "model-00002-of-00002.safetensors": HEADER + b"b" * 200_000,
    "model.safetensors.index.json": json.dumps(
        {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    ).encode(),
    "pytorch_model.bin": b"a pickle",
    "README.md": b"# Llama",
}
STAGED = sorted(set(FILES) - {"pytorch_model.bin", "README.md"})


def repository(**options: Any) -> Repository:
    """The repository that the stacks stage."""
    return Repository(NAME, {**FILES, **options.pop("more", {})}, **options)


def model_files() -> list[list[str]]:
    """The files that each model container has been given."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            arguments = entry.read_bytes().decode().split("\0")
        except OSError:
            continue
        if "--model-directory" in arguments:
            folder = Path(arguments[arguments.index("--model-directory") + 1])
            found.append(sorted(path.name for path in folder.rglob("*") if path.is_file()))
    return found


class StagedAccount:
    """An account with a bucket, bootstrapped.

    Args:
        folder: A folder for what the CDK CLI writes.
        runner: Runs the cloud.

    Attributes:
        hub: The hub; its repositories can be exchanged.
        plane: The control plane.
        cloud: What runs.
        log: What it has logged.
    """

    def __init__(self, folder: Path, runner: asyncio.Runner) -> None:
        self._folder = folder
        self._runner = runner
        self._exits = AsyncExitStack()
        self._assemblies: dict[str, Cdk] = {}
        self.log: list[str] = []

    def __enter__(self) -> StagedAccount:
        self.hub = self._exits.enter_context(Hub([repository()], tokens={TOKEN: {NAME}, "hf_stranger": ()}))
        os.environ[HUB] = self.hub.url
        self._exits.callback(os.environ.pop, HUB, None)
        self._runner.run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(self._exits.aclose())

    async def _start(self) -> None:
        self.children = await self._exits.enter_async_context(ChildProcesses(self._folder))
        self.plane = self._exits.enter_context(ControlPlane())
        times = ScalingTimes(speed=3600, start_seconds=0.1)
        cloud = Cloud(self.plane, STACKS, self.children, listen(0), times=times, log=self.log.append)
        self.cloud = await self._exits.enter_async_context(cloud)
        await Cdk(self.children, self._folder, self.plane.url).bootstrap(lambda _line: None)

    def play(self, script: Callable[[StagedAccount], Awaitable[None]]) -> None:
        """Runs a script in the account, with a hub without faults and a bucket that is empty."""

        async def run() -> None:
            self.hub.faults.clear()
            self.hub.received.clear()
            self.hub.add(repository())
            self.log.clear()
            self._known = len(self.cloud.builds.all())
            try:
                await script(self)
            finally:
                await self._clean()

        self._runner.run(run())

    async def _clean(self) -> None:
        self.hub.faults.clear()
        self.cloud.builds.quotas.clear()
        self.cloud.builds.deliveries = 1
        self.cloud.builds.seconds_per_minute = 60.0
        for name in STACKS:
            if await asyncio.to_thread(self.plane.has_stack, name):
                await asyncio.to_thread(deployments.delete, self.plane, name)
        for key in await self.keys():
            await asyncio.to_thread(self.plane.client("s3").delete_object, Bucket=BUCKET, Key=key)

    async def deploy(self, *stacks: str, **context: str) -> str:
        """Deploys stacks with the CDK CLI; returns what it says, whether it succeeds or not."""
        cdk = await self.synth(**context)
        lines: list[str] = []
        try:
            await cdk.deploy(stacks or ["Staged"], lines.append)
        except UserError as error:
            lines.append(error.problem)
        return "\n".join(lines)

    async def destroy(self, stack: str = "Staged", **context: str) -> None:
        """Deletes a stack with the CDK CLI."""
        await (await self.synth(**context)).destroy([stack], lambda _line: None)

    async def synth(self, **context: str) -> Cdk:
        """The assembly of the app with context values, which is kept."""
        values = sorted(f"{name}={value}" for name, value in ({"revision": repository().commit} | context).items())
        key = " ".join(values)
        if key not in self._assemblies:
            folder = self._folder / f"assembly-{len(self._assemblies)}"
            folder.mkdir()
            cdk = Cdk(self.children, folder, self.plane.url, app=APP, context=values)
            await cdk.synth(lambda _line: None)
            self._assemblies[key] = cdk
        return self._assemblies[key]

    async def keys(self) -> list[str]:
        """The keys of the bucket."""
        client = self.plane.client("s3")
        if BUCKET not in [one["Name"] for one in client.list_buckets()["Buckets"]]:
            return []
        listed = await asyncio.to_thread(client.list_objects_v2, Bucket=BUCKET)
        return [entry["Key"] for entry in listed.get("Contents", ())]

    async def staged(self) -> list[str]:
        """The paths of the weights in the bucket, and `manifest` if there is one."""
        keys = await self.keys()
        paths = [key.partition(f"{NAME}/")[2].partition("/")[2] for key in keys if key.startswith("models/")]
        return paths + ["manifest" for key in keys if key.startswith("manifests/")]

    async def status(self, stack: str = "Staged") -> str:
        """The status of a stack."""
        return await asyncio.to_thread(deployments.status_of, self.plane, stack)

    def builds(self) -> list[Build]:
        """The builds of this test, oldest first."""
        return self.cloud.builds.all()[self._known :]

    def failure(self, output: str) -> str:
        """The reason with which the wait condition has failed, in what the CDK CLI says."""
        found = re.search(r"WaitCondition received failed message: '(.*)' for uniqueId: [0-9a-f]+", output)
        assert found, output
        return found[1]

    async def job(self) -> int:
        """The process of the copier that runs."""
        build = self.builds()[-1].id
        async with asyncio.timeout(30):
            while True:
                for entry in Path("/proc").glob("[0-9]*"):
                    try:
                        is_own = f"CODEBUILD_BUILD_ID={build}\0".encode() in (entry / "environ").read_bytes()
                        if is_own and b"weights_copier" in (entry / "cmdline").read_bytes():
                            return int(entry.name)
                    except OSError:
                        continue
                await asyncio.sleep(0.05)

    def copied(self) -> list[str]:
        """What of the large files was downloaded, by the number in their names."""
        paths = {file.sha256: path for path, file in repository().files.items()}
        digests = [one.target[1:].partition("?")[0] for one in self.hub.received if one.on == "cdn"]
        return [paths[digest].removeprefix("model-0000")[0] for digest in digests]

    async def until(self, seen: Callable[[], object], seconds: float = 60) -> None:
        """Waits until something is true."""
        deadline = time.monotonic() + seconds
        while not seen():
            assert time.monotonic() < deadline, self.log[-20:]
            await asyncio.sleep(0.05)

    async def chat(self) -> tuple[int, Any]:
        """The answer of the model through the front door of the stack."""
        await self.cloud.serve()
        body = {"model": "llama", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 3}
        async with aiohttp.ClientSession() as session:
            api = ServedApi(self.cloud, session, self.log)
            status, _, answer = await api.request("POST", "/v1/chat/completions", body)
        return status, answer
