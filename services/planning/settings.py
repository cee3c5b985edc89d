"""What planning must be told; read from DIRIGENT_PLANNING_* and the product's shared names."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.http.settings import ServiceSettings


class Settings(ServiceSettings):
    """Planning's settings. `gathered_intake` off writes each event in a transaction of its own, through the same code.

    `paper_folder`: where the worker lays each ward's paper list every hour; nowhere unless it is named.
    `silent_after_hours`: how long nobody reads a mailbox until that is told; looked for every `silence_every_seconds`.
    `outage_after_seconds`: a silence between two beats that is longer is recorded as an outage, during which notices on paper count.
    `retention_years`: how long after its last change a case that is over keeps who the patient was; for ever unless it is named.
    `hl7_wards`: by client, the HSA-ids of wards that its HL7 messages (PV1-3) call otherwise; JSON, see docs/hl7.md.
    """

    model_config = SettingsConfigDict(env_prefix="DIRIGENT_PLANNING_", extra="ignore", populate_by_name=True)

    by_key: bool = True
    gathered_intake: bool = True
    intake_queue: int = 2_000
    reminders_at_once: int = 4
    paper_folder: Path | None = None
    silent_after_hours: float = 24.0
    silence_every_seconds: float = 60.0
    beat_every_seconds: float = 10.0
    outage_after_seconds: float = 60.0
    retention_years: int | None = Field(default=None, ge=1)
    hl7_wards: Mapping[str, Mapping[str, str]] = Field(default_factory=dict)

    def wards_of(self, client: str) -> Mapping[str, str]:
        """The HSA-ids of the wards by what a client's HL7 messages call them."""
        return self.hl7_wards.get(client, {})
