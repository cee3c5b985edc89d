"""What notifications hears from the other services."""

from typing import Final

from services.notifications import usecases
from shared.events.facts import NoticeSent
from shared.streams.consumer import Handler

CONSUMES: Final[dict[str, dict[str, Handler]]] = {"planning": {NoticeSent.kind: usecases.tell_of_notices}}
