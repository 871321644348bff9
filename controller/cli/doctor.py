"""`corneum doctor`: what is wrong with a port or a unit, and what to do."""

import asyncio
import json
import sys
from collections.abc import Sequence

from controller.api.interrupts import unwind
from controller.cli.outcome import ExitCode, Failure, joined
from controller.cli.output import clean
from controller.device.doctor import Finding, diagnose

OK_MARK = {True: "ok", False: "!!"}


def run(port: str | None, *, as_json: bool) -> ExitCode:
    """Examine one port, or all that this machine has."""
    unwind()
    ports = [port] if port is not None else _all_ports()
    if not ports:
        raise Failure(
            "This machine has no serial port.",
            "Plug the handpiece in, or name a pty or tcp://host:port.",
            ExitCode.PORT,
        )
    found = {name: asyncio.run(diagnose(name)) for name in ports}
    if as_json:
        said = {name: [_as_object(each) for each in findings] for name, findings in found.items()}
        sys.stdout.write(json.dumps({"ports": said}) + "\n")
    else:
        for name, findings in found.items():
            _print(name, findings)
    healthy = any(all(each.ok for each in findings) for findings in found.values())
    return ExitCode.DONE if healthy else ExitCode.PORT


def _all_ports() -> list[str]:
    from serial.tools import list_ports  # noqa: PLC0415  only this question needs it

    return [port.device for port in list_ports.comports()]


def _as_object(finding: Finding) -> dict[str, object]:
    return {
        "check": finding.check,
        "ok": finding.ok,
        "sentence": finding.sentence,
        "next_step": finding.next_step,
    }


def _print(port: str, findings: Sequence[Finding]) -> None:
    sys.stdout.write(f"{clean(port)}\n")
    for finding in findings:  # which may quote what a stranger sends
        words = clean(joined(finding.sentence, finding.next_step))
        sys.stdout.write(f"  {OK_MARK[finding.ok]}  {finding.check}: {words}\n")
