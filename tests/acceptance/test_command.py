"""The command line: what it asks, refuses and lists, before it deploys anything."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from acceptance import __main__ as command
from acceptance.clouds import NoAccessError
from acceptance.clouds import aws as aws_cloud
from acceptance.probe import Cloud, choose, probes
from acceptance.stopping import SIGNALS
from local.errors import UserError


class Account:
    """AWS, in which nothing is called."""

    kind, account, region, patience = Cloud.AWS, "111122223333", "eu-west-1", 1.0

    def __init__(self) -> None:
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Account:
    found = Account()
    monkeypatch.setattr(command, "_cloud", lambda _given: found)
    monkeypatch.setattr(command, "existing_stacks", lambda _cloud: [])
    monkeypatch.setattr(command, "check_rights", lambda _cloud: None)
    return found


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    found: list[Any] = []

    def run(_cloud: object, plan: object, _report: object, _progress: object, _stopping: object) -> int:
        found.append(plan)
        return 0

    monkeypatch.setattr(command, "run", run)
    return found


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err


def test_without_consent_nothing_is_deployed(
    account: Account, runs: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([]) == 2
    text = said(capsys)
    assert (
        "Qwen/Qwen2.5-0.5B-Instruct on vllm, ml.g4dn.xlarge, in account 111122223333, eu-west-1: 0.736 USD per hour"
        in text
    )
    assert "quota of 2 for `ml.g4dn.xlarge for endpoint usage`" in text
    assert "Nothing was deployed. YES=1 deploys without asking." in text
    assert (runs, account.is_closed) == ([], True)


@pytest.mark.parametrize(("answer", "count"), [("y\n", 1), ("YES\n", 1), ("n\n", 0), ("\n", 0), ("", 0)])
def test_a_terminal_is_asked(
    account: Account, runs: list[Any], monkeypatch: pytest.MonkeyPatch, answer: str, count: int
) -> None:
    terminal = io.StringIO(answer)
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(command.sys, "stdin", terminal)
    command.main([])
    assert len(runs) == count


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_at_the_question_is_no_traceback(
    account: Account,
    runs: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    number: signal.Signals,
) -> None:
    def interrupt(_question: str) -> bool:
        signal.raise_signal(number)
        return True

    monkeypatch.setattr(command, "_agrees", interrupt)
    assert command.main([]) == 128 + number
    assert f"The run was stopped by {number.name} before anything was deployed or deleted." in said(capsys)
    assert (runs, account.is_closed) == ([], True)


@pytest.mark.parametrize("number", SIGNALS)
def test_no_signal_stops_the_end(
    account: Account,
    runs: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    number: signal.Signals,
) -> None:
    close = account.close

    def interrupt() -> None:
        signal.raise_signal(number)
        close()

    before = signal.getsignal(number)
    monkeypatch.setattr(account, "close", interrupt)
    assert command.main(["--yes"]) == 0
    assert "Still deleting" in said(capsys)
    assert (len(runs), account.is_closed) == (1, True)
    assert signal.getsignal(number) is before


def test_yes_deploys_with_the_chosen_model_engine_and_probes(account: Account, runs: list[Any]) -> None:
    arguments = [
        "--yes",
        "--engine",
        "tgi",
        "--model",
        "org/model",
        "--tokens",
        "4096",
        "--only",
        "G3, Z",
        "--without",
        "Z10",
    ]
    assert command.main(arguments) == 0
    (plan,) = runs
    assert plan.context == {
        "acceptance": "on",
        "acceptance_model": "org/model",
        "acceptance_engine": "tgi",
        "acceptance_instance": "ml.g6.xlarge",
        "acceptance_tokens": "4096",
        "nag": "off",
    }
    names = [each.name for each in plan.chosen]
    assert names == ["made_up_key", "zero_starts_with_one", "zero_is_reached", "zero_wakes"]


@pytest.mark.parametrize(
    ("only", "without", "names"),
    [
        (("D30",), (), ["update_in_place", "rollback"]),
        (("Z10",), (), ["zero_starts_with_one", "zero_is_reached", "zero_wakes", "zero_wake_time"]),
        (("D30", "G3"), ("update_in_place",), ["made_up_key"]),
    ],
)
def test_a_probe_runs_with_those_that_it_needs_or_not_at_all(
    only: tuple[str, ...], without: tuple[str, ...], names: list[str]
) -> None:
    assert [each.name for each in choose(only, without)] == names


def test_what_a_probe_needs_is_above_it() -> None:
    names = [each.name for each in probes()]
    needed = {each.name: each.after for each in probes() if each.after}
    assert needed
    assert all(names.index(after) < names.index(name) for name, after in needed.items())


def test_stacks_of_another_run_are_left_alone(
    account: Account, runs: list[Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "existing_stacks", lambda _cloud: ["AcceptanceStack"])
    assert command.main(["--yes"]) == 2
    assert "AcceptanceStack: already in account 111122223333, eu-west-1." in said(capsys)
    assert runs == []


@pytest.mark.parametrize(
    ("answer", "yes", "code"), [("y\n", [], 0), ("\n", [], 2), (None, [], 2), (None, ["--yes"], 0)]
)
def test_stacks_are_not_deleted_without_consent(
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answer: str | None,
    yes: list[str],
    code: int,
) -> None:
    deleted: list[object] = []

    def destroy(cloud: object, _progress: object, _stopping: object) -> int:
        deleted.append(cloud)
        return 0

    terminal = io.StringIO(answer or "")
    monkeypatch.setattr(terminal, "isatty", lambda: answer is not None)
    monkeypatch.setattr(command.sys, "stdin", terminal)
    monkeypatch.setattr(command, "existing_stacks", lambda _cloud: ["AcceptanceStack"])
    monkeypatch.setattr(command, "destroy", destroy)
    assert command.main(["--destroy", *yes]) == code
    assert deleted == ([account] if code == 0 else [])
    assert ("Nothing was deleted. YES=1" in said(capsys)) is (code == 2)


@pytest.mark.parametrize("refused", ["existing_stacks", "check_rights"])
def test_rights_that_are_missing_are_no_traceback_and_nothing_is_deployed(
    account: Account,
    runs: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    refused: str,
) -> None:
    def refuse(_cloud: object) -> Any:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not authorized"}}, "DescribeStacks")

    monkeypatch.setattr(command, refused, refuse)
    assert command.main(["--yes"]) == 3
    assert "not authorized" in said(capsys)
    assert runs == []


def test_mistakes_are_reported_together_before_a_cloud_is_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "_cloud", lambda _given: pytest.fail("asked"))
    assert command.main(["--only", "G998", "--without", "nothing", "--tokens", "12"]) == 2
    assert said(capsys).splitlines() == [
        "ONLY=G998: no probe has this name or row. `make acceptance LIST=1` lists them.",
        "WITHOUT=nothing: no probe has this name or row. `make acceptance LIST=1` lists them.",
        "acceptance_tokens=12: must be at least 2048.",
    ]
    assert command.main(["--instance", "ml.g99.xlarge"]) == 2
    assert "INSTANCE=ml.g99.xlarge: " in said(capsys)


def test_a_model_without_a_published_price_says_so(
    account: Account, runs: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["--instance", "ml.p6-b200.48xlarge"]) == 2
    text = said(capsys)
    assert "USD per hour" in text or "no price of it is published" in text


def test_without_a_region_or_credentials_it_ends_with_3(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert command.main(["--yes"]) == 3
    assert "There is no Region. Set AWS_REGION, or the region of your profile." in said(capsys)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert command.main(["--yes"]) == 3
    assert "AWS_PROFILE=nobody: The config profile (nobody) could not be found." in said(capsys)
    monkeypatch.delenv("AWS_PROFILE")
    assert command.main(["--yes"]) == 3
    assert "AWS takes no credentials: Unable to locate credentials" in said(capsys)
    with pytest.raises(NoAccessError):
        aws_cloud.Aws()


def test_the_list_has_each_probe_with_its_rows_cloud_and_minutes(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--list", "--only", "S8"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "ROWS\tNAME\tWHERE\tMINUTES\tWHAT",
        "S8\tsixty_seconds\taws+emulated\t1.2\tInvokeEndpoint ends after 60 seconds",
        "S8\teight_minutes\taws\t9\tInvokeEndpointWithResponseStream ends after 8 minutes",
    ]


def test_the_command_does_not_load_the_cdk_whose_node_process_would_get_a_terminals_ctrl_c() -> None:
    code = "import sys, acceptance.__main__ as command; command.probes(); sys.exit('jsii' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=command.ROOT).returncode == 0


def test_an_emulated_cloud_that_does_not_start_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_given: object) -> None:
        raise UserError("The CDK CLI is not installed in this clone.", "Run `make demo`, which installs it.")

    monkeypatch.setattr(command, "_cloud", fail)
    assert command.main(["--emulated"]) == 1
    assert "does not start: The CDK CLI is not installed in this clone." in said(capsys)
