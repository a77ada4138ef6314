"""The library finds the copier where the Lambda functions' source is."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_copiers_request_and_keys_are_found_without_its_folder_on_the_path() -> None:
    code = (
        "import sys; from constructs_lib._weights_copier import places_of, DEFAULT_INCLUDE, DEFAULT_EXCLUDE;"
        "print(places_of('a/b', 'c', DEFAULT_INCLUDE, DEFAULT_EXCLUDE).folder);"
        "print([name for name in ('boto3', 'urllib.request', 'aws_cdk') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, env={})
    assert (done.stdout, done.stderr) == ("models/a/b/c/\n[]\n", "")
