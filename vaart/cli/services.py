"""Every service of a deployment, as `vaart run` and the demo start them."""

from streams.views import VIEWS
from vaart.supervisor import Service


def every_service() -> list[Service]:
    """The gateway, then what the demo needs too."""
    return [Service("gateway", ("serve", "gateway")), *pipeline()]


def pipeline() -> list[Service]:
    """Every view's worker and every sink."""
    workers = [Service(f"worker-{view.name}", ("worker", view.name)) for view in VIEWS]
    sinks = [
        Service("sink-postgres", ("sink", "postgres")),
        Service("sink-notifications", ("sink", "notifications")),
    ]
    return workers + sinks
