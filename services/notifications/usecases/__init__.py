"""What notifications does: subscribe, tell, try, give up, send again. Each function runs in the transaction it is given."""

from services.notifications.domain.attempts import Rules
from services.notifications.domain.matching import Subscription
from services.notifications.repository import WhichDeliveries
from services.notifications.usecases.contacts import ContactStated, list_contacts, put_contacts
from services.notifications.usecases.delivery_log import count_deliveries, list_deliveries
from services.notifications.usecases.digests import DigestWanted, add_digest, delete_digest, list_digests, write_digest
from services.notifications.usecases.escalating import (
    forget_mails,
    hear_escalations,
    hear_polls,
    hear_silences,
    list_escalations,
    watch_webhooks,
)
from services.notifications.usecases.pushing import end_waiting, head, push_notices, read_on, tells, wished
from services.notifications.usecases.revoking import Silenced, silence_client
from services.notifications.usecases.sending_again import Replayed, enable, redrive, replay
from services.notifications.usecases.settling import settle
from services.notifications.usecases.subscriptions import (
    MOST_SUBSCRIPTIONS,
    READS_NOTICES,
    TargetPolicy,
    Wanted,
    disable,
    find_managed,
    find_subscription,
    list_subscriptions,
    rotate_secret,
    subscribe,
    unsubscribe,
)
from services.notifications.usecases.telling import send_test, tell_of_notices

__all__ = [
    "MOST_SUBSCRIPTIONS",
    "READS_NOTICES",
    "ContactStated",
    "DigestWanted",
    "Replayed",
    "Rules",
    "Silenced",
    "Subscription",
    "TargetPolicy",
    "Wanted",
    "WhichDeliveries",
    "add_digest",
    "count_deliveries",
    "delete_digest",
    "disable",
    "enable",
    "end_waiting",
    "find_managed",
    "find_subscription",
    "forget_mails",
    "head",
    "hear_escalations",
    "hear_polls",
    "hear_silences",
    "list_contacts",
    "list_deliveries",
    "list_digests",
    "list_escalations",
    "list_subscriptions",
    "push_notices",
    "put_contacts",
    "read_on",
    "redrive",
    "replay",
    "rotate_secret",
    "send_test",
    "settle",
    "silence_client",
    "subscribe",
    "tell_of_notices",
    "tells",
    "unsubscribe",
    "watch_webhooks",
    "wished",
    "write_digest",
]
