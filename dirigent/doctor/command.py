"""The command `dirigent doctor`."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from dirigent.doctor.checkpoints import Checkpoint, read_checkpoint
from dirigent.doctor.examining import Finding, examine
from dirigent.person_keys import know_person_keys
from dirigent.supervisor.system import Options, databases_of


def command(
    data: Annotated[Path | None, typer.Option(envvar="DIRIGENT_DATA", help="Data folder.", show_default="./data")] = None,
    checkpoint: Annotated[Path | None, typer.Option(help="A file of `dirigent checkpoint`: find whatever was rewritten since.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Check durable settings, tables against their definitions, every feed, the follow-up, and every krona that billing has counted.

    Works beside a running system, and on the data folder of one that is stopped.
    """
    know_person_keys(data)
    known = None if checkpoint is None else read_checkpoint(checkpoint)
    findings = asyncio.run(_examine(Options(data=data), known))
    _show(findings, as_json=as_json)
    raise typer.Exit(1 if any(finding.faults for finding in findings) else 0)


async def _examine(options: Options, checkpoint: Checkpoint | None) -> list[Finding]:
    async with databases_of(options) as databases:
        return await examine(databases, checkpoint)


def _show(findings: Sequence[Finding], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False))
        return
    for finding in findings:
        print(f"{finding.service:14} {finding.feeds:6} feeds {finding.entries:9} entries  {'sound' if not finding.faults else 'NOT SOUND'}")
        for fault in finding.faults:
            print(f"{'':14} {fault}")
