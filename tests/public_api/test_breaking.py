"""Which changes of an API break programs, and which of them a changelog names."""

from __future__ import annotations

import pytest

from scripts.public_api.announced import missing
from scripts.public_api.breaking import Break, breaks

BEFORE = """
class Base:
    def metric(self, name: str) -> str: ...

class Door(Base):
    mode: Literal["open", "closed"]
    MAX = 5
    def __init__(self, scope: Construct, *, rate: float | None = None, size: int = 256, kept: int = ...) -> None: ...
    def add(self, id: str, name: str = "x") -> Consumer: ...
    @property
    def url(self) -> str: ...
    @classmethod
    def of(cls, name: str) -> Door: ...

def read(path: str) -> Door: ...
"""


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("    @property\n    def url(self) -> str: ...\n", "", "Door.url: removed"),
        ("def read(path: str) -> Door: ...\n", "", "read: removed"),
        ("rate: float | None", "rate: float", "Door.__init__(rate): takes float, no longer float | None"),
        ("rate: float | None = None, ", "", "Door.__init__(rate): removed"),
        ("rate: float | None = None", "rate: float | None", "Door.__init__(rate): required now"),
        ("size: int = 256", "size: int = 512", "Door.__init__(size): another default"),
        ("scope: Construct, *,", "scope: Construct, *, vpc: IVpc,", "Door.__init__(vpc): new and required"),
        (
            'id: str, name: str = "x"',
            "id: str, *, name: str = 'x'",
            "Door.add(name): no longer both positional and by name",
        ),
        (
            "def metric(self, name: str)",
            "def metric(self, dimension: str, name: str)",
            "Base.metric(name): another position",
        ),
        ("-> Consumer", "-> Consumer | None", "Door.add: returns Consumer | None, no longer Consumer"),
        ("def url(self) -> str", "def url(self) -> str | None", "Door.url: is str | None, no longer str"),
        (
            'Literal["open", "closed"]',
            'Literal["open", "closed", "held"]',
            "Door.mode: is Literal['open', 'closed', 'held'], no longer Literal['open', 'closed']",
        ),
        ("MAX = 5", "MAX = 6", "Door.MAX: is 6, no longer 5"),
        ("class Door(Base)", "class Door", "Door: no longer of a base class"),
    ],
)
def test_a_breaking_change_is_found(old: str, new: str, found: str) -> None:
    assert old in BEFORE
    assert found in [str(each) for each in breaks(BEFORE, BEFORE.replace(old, new))]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("class Base:", "class New:\n    x: int\n\nclass Base:"),
        ("size: int", "size: int | str"),
        ("size: int = 256", "size: int = 256, new: bool = False"),
        ("kept: int = ...", "kept: int = 3"),
        ("rate: float | None = None, size: int = 256", "size: int = 256, rate: None | float = None"),
        ('Literal["open", "closed"]', 'Literal["open"]'),
        ("-> Door: ...\n\ndef", "-> Self: ...\n\ndef"),
        ("    @classmethod\n    def of(cls, name", "    @staticmethod\n    def of(name"),
    ],
)
def test_a_change_that_breaks_nothing_is_not_found(old: str, new: str) -> None:
    assert old in BEFORE
    assert breaks(BEFORE, BEFORE.replace(old, new)) == []


RATE = Break("Door", "__init__", "rate", "removed")


@pytest.mark.parametrize(
    ("entry", "named"),
    [
        ("`Door` has no `rate` any more.", True),
        ("`Door(rate=…)` is gone.", True),
        ("Door has no rate any more.", False),
        ("`Door` lost something.", False),
        ("`rate` is gone.", False),
        ("`Gate(rate=…)` is gone.", False),
        ("`Door(generate=…)` is gone.", False),
    ],
)
def test_an_entry_has_to_name_what_breaks_in_code(entry: str, named: bool) -> None:
    changelog = f"## [Unreleased]\n\n### Changed\n- Something else.\n- {entry}\n\n## [0.1.0] - 2026-11-29\n"
    assert (missing([RATE], changelog) == []) is named


@pytest.mark.parametrize(
    "changelog",
    [
        "",
        "## [Unreleased]\n\n### Added\n- `Door(rate=…)`.\n",
        "## [Unreleased]\n\n## [0.1.0] - 2026-11-29\n\n### Changed\n- `Door(rate=…)`.\n",
    ],
)
def test_other_sections_do_not_count(changelog: str) -> None:
    assert missing([RATE], changelog) == ["Door.__init__(rate): removed. Name `rate` and `Door` in an entry."]


def test_what_several_classes_lose_is_named_once() -> None:
    lost = [Break(owner, "__init__", "rate", "removed") for owner in ("Door", "Gate")]
    assert missing(lost, "## [Unreleased]\n\n### Removed\n- `rate` of `Gate` and all others.\n") == []
    assert missing(lost, "## [Unreleased]\n") == [
        "Door.__init__(rate): removed and Gate.__init__(rate): removed. Name `rate` and `Door` or `Gate` in an entry."
    ]
