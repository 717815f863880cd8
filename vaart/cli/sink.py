"""`vaart sink NAME`: the way out."""

import signal
import threading
from types import FrameType
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds the verbs under `sink`."""
    group = typer.Typer(no_args_is_help=True, help="Run one sink until SIGTERM.")
    group.command()(postgres)
    group.command()(notifications)
    group.callback()(_sink)
    app.add_typer(group, name="sink")


def _sink() -> None:
    """Run one sink until SIGTERM."""


def postgres(
    instance: Annotated[
        str,
        typer.Option(
            help="A stable name, one a process: a restart under it takes its partitions back at once."
        ),
    ] = "",
) -> None:
    """Keep the tables of customers, orders, stock and journeys in Postgres.

    Needs `vaart topics apply`, `vaart schemas register` and `vaart db upgrade` before.
    """
    from sinks.postgres import schema
    from sinks.postgres.sink import APP, PostgresSink
    from sinks.projections import PROJECTIONS
    from vaart import addresses, collector, kafka, logs, settings
    from vaart.health import Health, HealthServer

    loaded = settings.load()
    logs.configure(APP, loaded.log_level)
    found = addresses.resolve(loaded)
    kafka.wait_until_reachable(loaded, found)
    schema.require_current(found.postgres)
    collector.calm()
    health = Health()
    server = HealthServer(loaded, health)
    try:
        PostgresSink(loaded, found, PROJECTIONS, health, instance=instance).run(stopped_by_signal())
    finally:
        server.close()


def notifications() -> None:
    """Send what journeys ask to send: by SMTP, by a signed webhook, or into the log.

    E-mail goes by SMTP where VAART_NOTIFICATIONS__SMTP_HOST is set, all else to VAART_NOTIFICATIONS__WEBHOOK_URL;
    with neither, messages are logged. Needs what `vaart sink postgres` needs.
    """
    from sinks.notifications.service import serve
    from vaart import addresses, logs, settings

    loaded = settings.load()
    logs.configure("sink-notifications", loaded.log_level)
    serve(loaded, addresses.resolve(loaded), stopped_by_signal())


def stopped_by_signal() -> threading.Event:
    """An event that SIGTERM and Ctrl-C set. A second signal ends the process at once."""
    stopping = threading.Event()

    def stop(number: int, _frame: FrameType | None) -> None:
        stopping.set()
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    return stopping
