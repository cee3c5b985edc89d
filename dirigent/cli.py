"""The command line. Every command lives in a module of its own, imported only when it is called, so that help comes at once."""

import importlib
import os
import sys
from typing import Final

import typer

from dirigent.failure import CannotStart
from dirigent.loading import loading

# Name: the module that holds it as `command` (a function) or `app` (a group of commands), and what it is for.
COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "up": ("dirigent.supervisor.command", "Start everything and keep it running until Ctrl-C."),
    "demo": ("dirigent.demo.command", "Play a month of a whole county and check every sum."),
    "simulate": ("dirigent.simulate.command", "Write a month of made-up county traffic to a replay file."),
    "replay": ("dirigent.replay.command", "Play a replay file through the public HTTP API."),
    "token": ("dirigent.tokens", "Print a bearer token of a client."),
    "client": ("dirigent.clients", "Enter systems that may call, change their keys, shut them out."),
    "import": ("dirigent.importing.command", "Take over a directory, or the stays of an older service, from a file."),
    "simulate-agreements": ("dirigent.simulate_agreements", "Compare what real months would have cost under other rule sets."),
    "shadow": ("dirigent.shadow.command", "Hold a month of today's service against ours."),
    "staff": ("dirigent.staff", "Who is signed in, and signing somebody out."),
    "doctor": ("dirigent.doctor.command", "Check that what is stored is still what was stored."),
    "person-keys": ("dirigent.person_keys", "Which keys seal persons, how much each sealed, and which may go."),
    "checkpoint": ("dirigent.checkpoint", "Write down what every feed ends with, for doctor to hold them to."),
    "explain": ("dirigent.explain", "Explain a month's amount, or make an explanation again offline."),
    "validate-invoice": ("dirigent.validate_invoice", "Hold an electronic invoice against official rule files."),
    "mllp": ("dirigent.mllp.command", "Listen for HL7 v2 over MLLP and hand every message on as one client."),
    "openapi": ("dirigent.openapi", "Print the interface description of all services."),
}


def build(called: str | None) -> typer.Typer:
    """The command line with one command for real and the others as names with a purpose, which is all that help needs of them."""
    # Pretty tracebacks print local variables: secrets, person numbers.
    app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, callback=_dirigent)
    for name, (module, purpose) in COMMANDS.items():
        if name != called:
            app.command(name, help=purpose)(_dirigent)
            continue
        with loading():
            found = importlib.import_module(module)
        if hasattr(found, "app"):
            app.add_typer(found.app, name=name, help=purpose)
        else:
            app.command(name)(found.command)
    return app


def _dirigent() -> None:
    """Dirigent: discharge coordination and payment liability between region and municipalities."""


def main() -> None:
    """Run the command line; what cannot be started ends in one line and exit code 1."""
    called = next((argument for argument in sys.argv[1:] if not argument.startswith("-")), None)
    try:
        build(called)()
    except CannotStart as failure:
        print(f"dirigent: {failure}", file=sys.stderr)
        sys.exit(1)
    finally:
        _flush()


def _flush() -> None:
    """Write out what is left; a reader that has seen enough, such as `head`, is no failure to tell of."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
