"""What planning must be told; read from DIRIGENT_PLANNING_* and the product's shared names."""

from pathlib import Path

from pydantic_settings import SettingsConfigDict

from shared.http.settings import ServiceSettings


class Settings(ServiceSettings):
    """Planning's settings. `gathered_intake` off writes each event in a transaction of its own, through the same code.

    `paper_folder`: where the worker lays each ward's paper list every hour; nowhere unless it is named.
    `outage_after_seconds`: a silence between two beats that is longer is recorded as an outage, during which notices on paper count.
    """

    model_config = SettingsConfigDict(env_prefix="DIRIGENT_PLANNING_", extra="ignore", populate_by_name=True)

    by_key: bool = True
    gathered_intake: bool = True
    intake_queue: int = 2_000
    reminders_at_once: int = 4
    paper_folder: Path | None = None
    beat_every_seconds: float = 10.0
    outage_after_seconds: float = 60.0
