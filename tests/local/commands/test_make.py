"""What make passes on to the commands."""

import subprocess

from local.deployment.cdk_cli import ROOT


def test_the_origins_of_serve_become_a_context_value() -> None:
    command = ["make", "--dry-run", "serve", "CORS=http://localhost:3000,https://app.example.com"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert '--context "cors=http://localhost:3000,https://app.example.com"' in done.stdout
    assert "cors" not in subprocess.run(command[:3], cwd=ROOT, capture_output=True, text=True, check=True).stdout
