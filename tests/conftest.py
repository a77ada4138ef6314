from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aws_cdk import App, Stack
    from selenium.webdriver import Chrome


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


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """A browser of the system's own, without a window and with nothing remembered."""
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("no browser here to try the playground with: apt-get install chromium chromium-driver")
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    options.binary_location = browser
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('chromium')}")
    options.add_argument("--window-size=1200,800")
    quiet = ("background-networking", "component-update", "dev-shm-usage", "gpu", "quic", "sync")
    for argument in ("--headless", "--no-first-run", *(f"--disable-{part}" for part in quiet)):
        options.add_argument(argument)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # Chromium has none for root.
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = Chrome(options=options, service=Service(driver))
    try:
        yield chrome
    finally:
        chrome.quit()
