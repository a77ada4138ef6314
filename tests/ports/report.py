"""Prints the share of the deployments that give what they had: `python -m tests.ports.report [--wrong]`."""

from __future__ import annotations

import sys
from tempfile import TemporaryDirectory

from tests.ports.comparison import deviations
from tests.ports.ports import Port, read_ports


def main(arguments: list[str]) -> int:
    """Build every app and print the share."""
    ports = read_ports()
    wrong = {port.app: found for port in ports if (found := _deviations(port))}
    right = [port for port in ports if port.app not in wrong]
    complete = sum(not port.later for port in right)
    sys.stdout.write(
        f"{len(right)} of {len(ports)} give what their deployment had, {len(right) / len(ports):.0%}:"
        f" {complete} all of it, {len(right) - complete} all but what is named under later\n"
    )
    if "--wrong" in arguments:
        for app, found in wrong.items():
            sys.stdout.write(f"\n{app}\n" + "".join(f"  {text}\n" for text in found))
    return 0


def _deviations(port: Port) -> list[str]:
    from aws_cdk import App

    with TemporaryDirectory() as place:
        try:
            return deviations(port, App(outdir=place))
        except Exception as error:  # noqa: BLE001 - an app that cannot even be built is a wrong answer
            return [f"{type(error).__name__}: {error}"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
