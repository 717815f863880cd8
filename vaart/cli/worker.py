"""`vaart worker VIEW` and `vaart run`: the live views, and everything at once."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from vaart.settings import Settings


def register(app: typer.Typer) -> None:
    """Adds `worker` and `run`."""
    app.command()(worker)
    app.command()(run)


def worker(
    view: Annotated[str, typer.Argument(help="The view to run, such as `stock`.")],
    instance: Annotated[
        str,
        typer.Option(
            help="A name of its own for each worker of a view: a restart under it causes no rebalance. "
            "Without it VAART_INSTANCE, else the machine's name."
        ),
    ] = "",
    procs: Annotated[
        int, typer.Option(min=1, max=256, help="How many processes share the view's lanes, on this machine.")
    ] = 1,
    follows: Annotated[
        int,
        typer.Option(
            min=0, help="A new version: stay muted behind this older version until `vaart views switch`."
        ),
    ] = 0,
) -> None:
    """Run one live view until SIGTERM.

    Examples: `vaart worker stock`, `vaart worker stock --procs 4`, `vaart worker profiles --instance profiles-0`,
    `vaart worker stock --follows 1`.
    """
    import asyncio

    from schemas.codec import Codec
    from streams.engine.app import instance_of
    from streams.engine.worker import Worker
    from streams.views import VIEWS
    from vaart import addresses, collector, kafka, logs, settings
    from vaart.cli.schemas import registry_of
    from vaart.cli.views import require_heir, view_of
    from vaart.errors import UsageFault

    known = view_of(view)
    if follows >= known.version:
        raise UsageFault(
            f"this program has version {known.version} of {view}, which can follow an older one only"
        )
    loaded = settings.load()
    name = instance_of(loaded, instance)
    logs.configure(f"worker-{view}", loaded.log_level, instance=name)
    found = addresses.resolve(loaded)
    kafka.wait_until_reachable(loaded, found)
    if not follows:
        require_heir(known, loaded, found)
    if procs > 1:
        _run_processes(view, name, procs, follows, loaded)
        return

    registry = registry_of(loaded, found)

    collector.calm()

    async def serve() -> None:
        codec = Codec(registry, loaded.kafka.topic_prefix)
        await Worker(known, VIEWS, loaded, found, codec, name, follows).run()

    asyncio.run(serve())


def _run_processes(view: str, instance: str, count: int, follows: int, settings: "Settings") -> None:
    """Each process has its lanes, its state folder and its management port; a crashed one is started again."""
    import structlog

    from vaart.cli.services import worker_processes
    from vaart.supervisor import Supervisor

    words = ("--follows", str(follows)) if follows else ()
    services = worker_processes(view, instance, count, settings.management.port, words)
    log = structlog.get_logger()
    log.info("processes_start", instances=[service.name for service in services])
    if count > settings.kafka.partitions:
        log.warning("more_processes_than_lanes", processes=count, lanes=settings.kafka.partitions)
    Supervisor(services, None, {}).serve(
        lambda service: log.error(
            "process_ended", process=service.name, exit_code=service.exit_code, restarts=service.restarts
        )
    )


def run() -> None:
    """Run the gateway, every view and every sink in this terminal, until Ctrl-C.

    And the poller, queues and drops where a source has a section for them (VAART_GATEWAY__SOURCES names the file).
    A service that crashes is started again. Logs are in the state folder, one file a service.
    Example: `vaart up && vaart run`.
    """
    from rich.console import Console

    from vaart import settings
    from vaart.cli.services import every_service, note_run
    from vaart.supervisor import Supervisor

    loaded = settings.load()
    console, folder = Console(), loaded.state_dir / "logs"
    supervisor = Supervisor(every_service(loaded.gateway.sources), folder, {})
    note_run(loaded.state_dir)
    names = ", ".join(each.name for each in supervisor.services)
    console.print(f"{len(supervisor.services)} services run: {names}; their logs are in {folder}")
    supervisor.serve(
        lambda service: console.print(f"{service.name} ended; it starts again (see {service.name}.log)")
    )
