"""`vaart serve`: the gateway over HTTP; the poller of sources that are asked; queues of others; files of a drop."""

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from vaart.addresses import Addresses
    from vaart.settings import Settings

    Serve = Callable[[Settings, Addresses], Coroutine[None, None, None]]


def register(app: typer.Typer) -> None:
    """Adds `serve`."""
    group = typer.Typer(help="Run a server until SIGTERM.", no_args_is_help=True)
    group.command()(gateway)
    group.command()(poller)
    group.command()(queues)
    group.command()(drops)
    group.callback()(_serve)
    app.add_typer(group, name="serve")


def _serve() -> None:
    """Run a server until SIGTERM."""


def gateway(
    procs: Annotated[
        int, typer.Option(min=1, max=256, help="How many processes share the port, on this machine.")
    ] = 1,
) -> None:
    """Take events over HTTP: our own by `POST /v1/events` (JSON or Avro, one or a list), those of sources by /in/...

    It listens on 127.0.0.1:8080 (VAART_GATEWAY__HOST, VAART_GATEWAY__PORT). Sources prove who they are
    (VAART_GATEWAY__SOURCES names their file); /v1/events asks nobody: leave it behind a proxy that does. While Kafka is
    away, records go to the spool in the state folder. Limits and the spool's room hold for each process. Examples:
    `vaart serve gateway`, `vaart serve gateway --procs 4`.
    """
    from connectors.gateway.service import serve
    from vaart import logs, settings

    loaded = settings.load()
    if procs > 1:
        logs.configure("gateway", loaded.log_level)
        _run_gateways(procs, loaded)
    else:
        _run("gateway", serve, loaded)


def _run(name: str, serve: "Serve", settings: "Settings") -> None:
    """Postgres is not asked for: what comes in goes to Kafka alone."""
    import asyncio

    from vaart import logs
    from vaart.addresses import KAFKA, REGISTRY, resolve

    logs.configure(name, settings.log_level)
    asyncio.run(serve(settings, resolve(settings, KAFKA, REGISTRY)))


def _run_gateways(count: int, settings: "Settings") -> None:
    """Each process has a spool, a name and a management port of its own; a crashed one is started again."""
    import platform
    import socket

    import structlog

    from connectors import sources
    from vaart.cli.services import gateway_processes
    from vaart.errors import ConfigFault, UsageFault
    from vaart.supervisor import Supervisor

    host, port = settings.gateway.host, settings.gateway.port
    if not port:
        raise UsageFault("several processes share one port: set VAART_GATEWAY__PORT to it")
    if settings.gateway.sources:
        sources.load(settings.gateway.sources)  # said once, not by each process
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        raise ConfigFault(
            f"the gateways cannot listen on {host}:{port} ({error.strerror}): "
            "set VAART_GATEWAY__PORT to a free port."
        ) from None
    services = gateway_processes(
        settings.instance or platform.node() or "gateway", count, settings.management.port
    )
    log = structlog.get_logger()
    log.info("processes_start", instances=[service.name for service in services])
    Supervisor(services, None, {}).serve(
        lambda service: log.error(
            "process_ended", process=service.name, exit_code=service.exit_code, restarts=service.restarts
        )
    )


def poller() -> None:
    """Ask the sources that have a `poll` section (VAART_GATEWAY__SOURCES names their file) for what changed.

    And for what their requests only point at: without a `poller` in the section, for that alone. Each page and how far
    it reaches are written at once: after a crash nothing is missing and nothing is there twice. A second poller of the
    same source takes over from the first. Example: `vaart serve poller`.
    """
    from connectors.polling.service import serve
    from vaart import settings

    _run("poller", serve, settings.load())


def queues() -> None:
    """Take in records of sources that have a `queue` section: topics of others (Debezium, Kafka Connect), Amazon SQS.

    VAART_GATEWAY__SOURCES names their file. Of topics each record is taken in exactly once, and a second process of the
    same source takes over from the first; a message of SQS is deleted once our Kafka has all that came of it. Example:
    `VAART_GATEWAY__SOURCES=deploy/examples/debezium/sources.yaml vaart serve queues`.
    """
    from connectors.queues.service import serve
    from vaart import settings

    _run("queues", serve, settings.load())


def drops() -> None:
    """Take the files that sources with a `drop` section get in a folder or on an SFTP server, each once.

    VAART_GATEWAY__SOURCES names the file of sources. A file that was taken goes to `taken/` beside it, one of which
    nothing can be made to `refused/` with the reason in a `.why` file; nothing is deleted. After a crash it goes on
    behind the last rows that are on Kafka. Example: `vaart serve drops`; `vaart sources check` says what is missing.
    """
    from connectors.drops.service import serve
    from vaart import settings

    _run("drops", serve, settings.load())
