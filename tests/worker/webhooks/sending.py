"""One attempt to make, as the deliverer hands it to a sender."""

from datetime import UTC, datetime

from shared.db.webhooks.deliveries import Due
from shared.webhooks.message import new_secret
from shared.webhooks.secret_box import SecretBox, new_key

BOX = SecretBox([new_key()])
SECRET = new_secret()


def due(url: str, secret: str = SECRET, event_id: str = "msg_1") -> Due:
    """The first attempt of a delivery."""
    return Due(
        delivery_id=1,
        endpoint_id=1,
        number=1,
        step=0,
        url=url,
        secrets=[(BOX.seal(secret), None)],
        event_id=event_id,
        event_type="benchmark.completed",
        event_at=datetime(2025, 1, 15, tzinfo=UTC),
        due_at=None,
        leased_until=None,
        data={"id": 7, "sequence": 2, "name": "Grüße 日本"},
    )
