"""Delivers webhooks: claims deliveries that are due, sends them and stores the result of each attempt."""

import secrets

from shared.clock import SystemClock
from shared.db.connection.database import Database
from shared.db.webhooks.deliveries import DeliveryRepository
from shared.settings import Settings
from worker.monitoring import WorkerMonitor
from worker.webhooks.deliverer import Deliverer
from worker.webhooks.sender import Sender


def make_deliverer(settings: Settings, database: Database, monitor: WorkerMonitor) -> Deliverer:
    """A deliverer for the deliveries in this database."""
    jitter = secrets.SystemRandom()
    sender = Sender(settings.ssrf_guard(), settings.secret_box(), SystemClock(), lambda: jitter.uniform(-1, 1))
    return Deliverer(DeliveryRepository(database), sender, monitor, look_every_s=settings.sweep_s)
