from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from aws_cdk import App, Stack


@pytest.fixture
def app(tmp_path: Path) -> App:
    """An app whose assembly is the test's own."""
    from aws_cdk import App

    return App(outdir=str(tmp_path / "cdk.out"))


@pytest.fixture
def stack(app: App) -> Stack:
    """A stack whose Region and account are known at synth."""
    from aws_cdk import Environment, Stack

    return Stack(app, "Team", env=Environment(account="123456789012", region="eu-west-1"))
