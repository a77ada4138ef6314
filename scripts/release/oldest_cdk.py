"""Find the lowest aws-cdk-lib that the library works with, by trying releases of the package index.

`python -m scripts.release.oldest_cdk` builds the wheel of this checkout, halves the releases between `--from` and the
newest until two neighbours are left of which one works, and prints both. A release works if all public names can be
imported, each way to use the constructs gets the same logical ids, and the app of examples/support_assistant is
synthesized without a warning. An answer says nothing of releases between that were not tried.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from packaging.version import Version

from scripts.release.distributions import build
from scripts.release.trial import ROOT, Trial, TrialError

_PACKAGE = "aws-cdk-lib"


def main(arguments: list[str] | None = None) -> int:
    """Find the release and print it.

    Args:
        arguments: The command line without the program's name. Default: that of the process.

    Returns:
        0 if a release works, else 1.
    """
    parser = argparse.ArgumentParser(prog="python -m scripts.release.oldest_cdk", description=__doc__)
    parser.add_argument("--from", dest="first", default="2.250.0", help="the oldest release to try (%(default)s)")
    options = parser.parse_args(arguments)
    with TemporaryDirectory(prefix="oldest-cdk-") as folder:
        (wheel,) = (path for path in build(ROOT, Path(folder) / "dist", epoch=0) if path.suffix == ".whl")
        trial = Trial(Path(folder), wheel)
        return _report(lowest(releases(Version(options.first)), lambda version: _why_not(trial, version)))


def releases(first: Version) -> list[Version]:
    """The releases of aws-cdk-lib in the package index, the oldest first.

    Args:
        first: The oldest to return.
    """
    command = [sys.executable, "-m", "pip", "index", "versions", _PACKAGE, "--disable-pip-version-check"]
    printed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    (listed,) = re.findall(r"^Available versions: (.+)$", printed, re.MULTILINE)
    return sorted(version for each in listed.split(", ") if (version := Version(each)) >= first)


def lowest(
    versions: Sequence[Version], why_not: Callable[[Version], str | None]
) -> tuple[Version | None, Version | None, str]:
    """The lowest version that works, if every version above one that works does too.

    Args:
        versions: The versions, the oldest first.
        why_not: Why a version does not work. None: it works.

    Returns:
        The version, the one before it, and why that one does not work.
    """
    reasons: dict[int, str] = {-1: ""}
    below, works = -1, len(versions)
    while works - below > 1:
        middle = (below + works) // 2
        reason = why_not(versions[middle])
        if reason is None:
            works = middle
        else:
            below, reasons[middle] = middle, reason
    found = versions[works] if works < len(versions) else None
    return found, versions[below] if below >= 0 else None, reasons[below]


def _why_not(trial: Trial, version: Version) -> str | None:
    sys.stderr.write(f"• {_PACKAGE} {version}\n")
    try:
        trial.install(f"{_PACKAGE}=={version}", ignore_ranges=True)
        trial.run()
    except TrialError as failure:
        sys.stderr.write(f"  does not work: {failure}\n")
        return str(failure)
    sys.stderr.write("  works\n")
    return None


def _report(found: tuple[Version | None, Version | None, str]) -> int:
    works, fails, reason = found
    if fails is not None:
        sys.stdout.write(f"{_PACKAGE} {fails} does not work: {reason}\n")
    sys.stdout.write(f"{_PACKAGE} {works} is the lowest that works.\n" if works else "No release works.\n")
    return 0 if works else 1


if __name__ == "__main__":
    sys.exit(main())
