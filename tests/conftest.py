from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aws_cdk import App, Stack
    from selenium.webdriver import Chrome


ENGINES = Path(__file__).with_name("engines")
SUMMARY = "summary"
"""The name under which tests record a text for the end of the run."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the tests against real engines out, unless they are asked for."""
    asked = (Path(config.invocation_params.dir, argument.split("::")[0]).resolve() for argument in config.args)
    if collection_path == ENGINES and not any(path.is_relative_to(ENGINES) for path in asked):
        return True
    return None


@pytest.fixture
def app(tmp_path: Path) -> App:
    """An app that writes its assembly to the test's own folder."""
    from aws_cdk import App

    return App(outdir=str(tmp_path / "cdk.out"))


@pytest.fixture
def stack(app: App) -> Stack:
    """A stack with a Region and an account that are known at synth."""
    from aws_cdk import Environment, Stack

    return Stack(app, "Team", env=Environment(account="123456789012", region="eu-west-1"))


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """The system's Chromium, headless and with an empty profile."""
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("no Chromium to test the playground with: apt-get install chromium chromium-driver")
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
        options.add_argument("--no-sandbox")  # Chromium refuses to run as root in a sandbox.
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = Chrome(options=options, service=Service(driver))
    try:
        yield chrome
    finally:
        chrome.quit()


@pytest.fixture
def record_summary(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Shows a text at the end of the run, also of a test that passes."""
    return lambda text: record_property(SUMMARY, text)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Write what tests have recorded."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, text in getattr(report, "user_properties", ()) if report.when == "call" else ():
                if name == SUMMARY:
                    terminalreporter.write_line(f"\n{text}")
