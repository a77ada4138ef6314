"""What is acknowledged of rule packs: true to its file, needed by a stack, and enough for the hardened ones."""

import re

import pytest
from aws_cdk import App, Environment, Stack, Validations

from constructs_lib import InstanceType, Model, TgiEndpoint
from constructs_lib._nag import Acknowledged, Wildcard
from scripts.acknowledgements import FILE, entries, render, rules
from scripts.audit.rule_packs import PACKS
from scripts.every_stack import every_app
from tests.stacks.test_app import Recorder, built, findings

ENTRIES = entries()
SOMEWHERE = Environment(account="111122223333", region="eu-west-1")


class Silent(Recorder):
    """A recorder for apps that add packs of their own."""

    def add_plugins(self, *plugins: object) -> None:
        """Leaves them out."""


@pytest.mark.parametrize("monitoring", ["on", "off"])
@pytest.mark.parametrize("env", [Environment(), SOMEWHERE], ids=["any Region", "one Region"])
def test_the_hardened_stacks_have_no_open_finding_in_five_packs(env: Environment, monitoring: str) -> None:
    mail = {"alarm_email": "team@example.com"} if monitoring == "on" else {}
    stacks = "HardenedBaseStack,HardenedLlamaTgiStack"
    app = built(env, nag="off", hardened="on", stacks=stacks, monitoring=monitoring, **mail)
    assert len(PACKS) == 5
    assert findings(app, PACKS.values()) == set()


@pytest.mark.parametrize("name", ENTRIES)
def test_each_reason_is_one_sentence_or_two(name: str) -> None:
    assert ENTRIES[name].about.strip()
    for rule in rules(ENTRIES[name]):
        sentences = re.split(r"(?<=[.;]) ", rule.reason)
        assert 1 <= len([one for one in sentences if one.endswith(".")]) <= 2, rule.reason
        assert len(rule.reason) > 40, rule.reason
        assert rule.reason[-1] == ".", rule.reason


def test_the_document_for_auditors_is_current() -> None:
    assert FILE.read_text(encoding="utf-8") == render(), "run `make acknowledgements`"


def test_no_rule_is_listed_twice_for_a_resource() -> None:
    listed = [(entry.about, rule.name) for entry in ENTRIES.values() for rule in rules(entry)]
    assert len(set(listed)) == len(listed) > 40


@pytest.mark.parametrize(("instance", "takes_key"), [(InstanceType.G5_2XLARGE, False), (InstanceType.G7_2XLARGE, True)])
def test_a_volume_without_a_key_is_acknowledged_only_where_sagemaker_takes_none(
    instance: InstanceType, takes_key: bool
) -> None:
    app = App()
    stack = Stack(app, "Stack", env=SOMEWHERE)
    TgiEndpoint(stack, "Llm", model=Model.from_hub("Qwen/Qwen2.5-7B-Instruct"), instance_type=instance)
    rule = "SageMakerEndpointConfigurationKMSKeyConfigured"
    found = {one for one, _ in findings(app, PACKS.values()) if one.endswith(rule)}
    packs = ("NIST.800.53.R5", "HIPAA.Security", "PCI.DSS.321") if takes_key else ()
    assert found == {f"{pack}-{rule}" for pack in packs}


@pytest.mark.slow
def test_every_entry_is_needed_by_a_stack_and_for_each_of_its_packs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Validations, "of", Silent)
    needed: set[tuple[str, str]] = set()
    Recorder.given = {}
    for app in every_app():
        given, Recorder.given = Recorder.given, {}
        found = findings(app, PACKS.values())
        for (rule, path), reason in given.items():
            assert [each for each in found if each[0] == rule and each[1].startswith(path)], (rule, path)
            needed.add((rule, reason))
    assert [*_unneeded(needed)] == []


def _unneeded(needed: set[tuple[str, str]]) -> list[str]:
    unneeded = []
    for name, entry in ENTRIES.items():
        for rule in rules(entry):
            for finding in rule.ids:
                begin = f"{finding}[" if isinstance(entry, Wildcard) else finding
                if not any(_fits(begin, entry, one) and rule.reason in reason for one, reason in needed):
                    unneeded.append(f"{name}: {finding}")
    return unneeded


def _fits(begin: str, entry: Acknowledged | Wildcard, finding: str) -> bool:
    return finding.startswith(begin) if isinstance(entry, Wildcard) else finding == begin
