"""What make passes on to the commands."""

import subprocess

from local.deployment.cdk_cli import ROOT


def test_the_origins_of_serve_become_a_context_value() -> None:
    command = ["make", "--dry-run", "serve", "CORS=http://localhost:3000,https://app.example.com"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert '--context "cors=http://localhost:3000,https://app.example.com"' in done.stdout
    assert "cors" not in subprocess.run(command[:3], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_an_app_of_your_own_is_served_with_all_its_stacks_or_with_those_that_are_named() -> None:
    def recipe(*arguments: str) -> str:
        command = ["make", "--dry-run", "serve", *arguments]
        printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        return " ".join(printed.replace('"', "").split())

    assert "-m local serve --stack LlamaTgiStack --port" in recipe()
    assert "-m local serve --app examples/model_fleet --port" in recipe("APP=examples/model_fleet")
    assert "-m local serve --app my-app --stack One --port" in recipe("APP=my-app", "STACK=One")


def test_how_fast_serve_scales_becomes_its_options() -> None:
    command = ["make", "--dry-run", "serve", "SPEED=600", "START_SECONDS=1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "--speed 600 --start-seconds 1" in done.stdout
    assert "--speed" not in subprocess.run(command[:3], cwd=ROOT, capture_output=True, text=True, check=True).stdout
