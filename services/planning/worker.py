"""Planning's share of a worker process: number and relay its stream, and hear billing."""

from services.planning import consumers
from services.planning.settings import Settings
from shared.streams.runtime import StreamWorker


def create_worker(settings: Settings | None = None) -> StreamWorker:
    """Planning's worker, told by the environment unless by `settings`."""
    return StreamWorker(
        "planning",
        settings or Settings(),
        subscribers=("billing", "notifications"),
        consumes={"billing": consumers.BILLING},
    )
