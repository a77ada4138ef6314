"""Runs the real CDK CLI against the emulated control plane, isolated from the user's configuration."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.deployment.control_plane import ACCOUNT, CREDENTIALS, REGION
from local.errors import UserError
from local.processes import stdout_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from local.processes import ChildProcesses

ROOT = Path(__file__).resolve().parents[2]

# The discard port: a lookup during synthesis must fail, not reach AWS.
NO_ENDPOINT = "http://127.0.0.1:9"
CLI_VARIABLES = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "CDK_DISABLE_CLI_TELEMETRY": "true",
    "CDK_DISABLE_VERSION_CHECK": "1",
    "NO_COLOR": "1",
    "FORCE_COLOR": "0",
    "PYTHONUNBUFFERED": "1",
}
# Lines of the CLI around the actual error message.
NOISE = re.compile(r"feature flags are not configured|^\S*python\S* .*Subprocess exited|^\s*[│╭╰└]|^\s*(\^|~)+\s*$")
TRACEBACK = "Traceback (most recent call last):"
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


class Cdk:
    """Runs `cdk bootstrap`, `cdk synth`, `cdk deploy` and `cdk destroy` for one session.

    Args:
        children: Starts the CLI and stops it on exit.
        folder: The folder of the session, for the cloud assembly and everything else that the CLI writes.
        endpoint_url: The endpoint of the emulated control plane. Default: one that nothing serves, for `synth`.
        app: The folder with `cdk.json`. Default: this clone.
        context: Additional CDK context values, each as `key=value`.

    Attributes:
        assembly: The folder of the cloud assembly.
    """

    def __init__(
        self,
        children: ChildProcesses,
        folder: Path,
        endpoint_url: str = NO_ENDPOINT,
        *,
        app: Path = ROOT,
        context: Sequence[str] = (),
    ) -> None:
        self._children = children
        self._folder = folder
        self._app = app
        self._context = [part for value in context for part in ("--context", value)]
        self._environment = cli_environment(folder, endpoint_url)
        if app != ROOT:
            # An app elsewhere finds the library of this clone, as if it were installed.
            paths = [str(ROOT), *filter(None, [self._environment.get("PYTHONPATH")])]
            self._environment["PYTHONPATH"] = os.pathsep.join(paths)
        self.assembly = folder / "cdk.out"

    async def bootstrap(self, on_line: Callable[[str], None]) -> None:
        """Bootstraps the emulated account, as on AWS once per account and Region."""
        await self._run(["bootstrap", f"aws://{ACCOUNT}/{REGION}"], on_line, cwd=self._folder)

    async def synth(self, on_line: Callable[[str], None]) -> None:
        """Writes the templates of the app to `assembly`."""
        await self._run(["synth", "--quiet", "--output", str(self.assembly), *self._context], on_line, cwd=self._app)

    async def deploy(self, stacks: Sequence[str], on_line: Callable[[str], None]) -> None:
        """Deploys stacks of the assembly, without a change set: the CLI cannot parse moto's response to that."""
        command = ["deploy", *stacks, "--app", str(self.assembly), "--method=direct", "--require-approval=never"]
        await self._run([*command, "--progress=events"], on_line, cwd=self._folder)

    async def destroy(self, stacks: Sequence[str], on_line: Callable[[str], None]) -> None:
        """Deletes deployed stacks of the assembly."""
        await self._run(["destroy", *stacks, "--app", str(self.assembly), "--force"], on_line, cwd=self._folder)

    def stacks(self) -> dict[str, Path]:
        """The template files of the assembly by stack name."""
        return {
            name: self.assembly / artifact["properties"]["templateFile"] for name, artifact in self._stack_artifacts()
        }

    def check_environment(self, stacks: Sequence[str]) -> None:
        """Checks that stacks of the assembly are for the emulated account and Region, or for any.

        Raises:
            UserError: A stack is for another account or Region.
        """
        for name, artifact in self._stack_artifacts():
            account, region = artifact["environment"].removeprefix("aws://").split("/")
            elsewhere = account not in (ACCOUNT, "unknown-account") or region not in (REGION, "unknown-region")
            if name in stacks and elsewhere:
                raise UserError(
                    f"{name} is for {artifact['environment']}; the emulated cloud is aws://{ACCOUNT}/{REGION}.",
                    "Leave out the stack's env, or take it from CDK_DEFAULT_ACCOUNT and CDK_DEFAULT_REGION.",
                )

    def template(self, stack: str) -> dict[str, Any]:
        """The template of one stack of the assembly.

        Raises:
            UserError: The app has no stack of that name.
        """
        stacks = self.stacks()
        if stack not in stacks:
            raise UserError(
                f"STACK={stack}: the app has no stack of this name.", f"Choose one of: {', '.join(sorted(stacks))}."
            )
        template: dict[str, Any] = json.loads(stacks[stack].read_text())
        return template

    def _stack_artifacts(self) -> list[tuple[str, dict[str, Any]]]:
        manifest = json.loads((self.assembly / "manifest.json").read_text())
        return [
            (artifact["properties"].get("stackName", name), artifact)
            for name, artifact in manifest["artifacts"].items()
            if artifact["type"] == "aws:cloudformation:stack"
        ]

    async def _run(self, arguments: list[str], on_line: Callable[[str], None], *, cwd: Path) -> None:
        command = [find_cli(self._environment["PATH"]), *arguments, "--no-notices", "--no-color"]
        process = await self._children.start(command, env=self._environment, cwd=cwd)
        output = stdout_of(process)
        lines: list[str] = []
        try:
            async for raw in output:
                line = ESCAPE.sub("", raw.decode(errors="replace")).rstrip()
                if line:
                    lines.append(line)
                    on_line(line)
            code = await process.wait()
        finally:
            await self._children.stop(process)
        if code != 0:
            raise UserError(explain_failure(arguments[0], code, lines), suggest_fix(lines))


def cli_environment(folder: Path, endpoint_url: str) -> dict[str, str]:
    """The environment of the CLI: the current one without AWS variables and the user's configuration.

    The CLI keeps the account of its credentials in its home. Without an endpoint it has one of its own: templates are
    for any account then, whatever else of the session has run before.
    """
    home = folder / ("home" if endpoint_url != NO_ENDPOINT else "offline")
    temporary = folder / "tmp"
    for subfolder in (home, temporary):
        subfolder.mkdir(parents=True, exist_ok=True)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_", "JSII_"))}
    path = os.pathsep.join(
        [str(Path(sys.executable).parent), str(ROOT / "node_modules" / ".bin"), inherited.get("PATH", os.defpath)]
    )
    return {
        **inherited,
        **CREDENTIALS,
        **CLI_VARIABLES,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_CONFIG_FILE": str(home / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(home / "credentials"),
        "CDK_HOME": str(home / ".cdk"),
        "HOME": str(home),
        "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(ROOT / ".cache" / "jsii"),
        "NO_PROXY": "localhost,127.0.0.1",
        "PATH": path,
        "TMPDIR": str(temporary),
    }


def find_cli(path: str) -> str:
    """The path of the CDK CLI.

    Args:
        path: The PATH to search.

    Raises:
        UserError: It is not installed.
    """
    found = shutil.which("cdk", path=path)
    if found is None:
        raise UserError(
            "The CDK CLI is not installed in this clone.", "Run `make demo` or `make serve`, which install it."
        )
    return found


def explain_failure(command: str, code: int, lines: Sequence[str]) -> str:
    """The error output of the CLI, without tracebacks and noise."""
    kept: list[str] = []
    tracing = False
    for line in lines:
        tracing = line.startswith(TRACEBACK) or (tracing and line.startswith(" "))
        if not tracing and not NOISE.search(line):
            kept.append(line)
    return "\n".join([f"`cdk {command}` failed with exit code {code}:", *(f"  {line}" for line in kept[-25:])])


def suggest_fix(lines: Sequence[str]) -> str:
    """How to fix a failure, specific if the cause is known."""
    text = "\n".join(lines)
    if "Maximum schema version supported" in text:
        return "The CDK CLI is older than aws-cdk-lib. Remove node_modules, and make installs the pinned version."
    if "ModuleNotFoundError" in text:
        return "A Python package is missing. Run the command through make, which installs the pinned packages."
    if "cdk.json" in text and "--app is required" in text:
        return "Run the command in the clone, where cdk.json is."
    return "Fix the error and run the command again. `cdk synth` in the folder of the app shows the complete output."
