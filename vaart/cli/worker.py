"""`vaart worker VIEW` and `vaart run`: the live views, and everything at once."""

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds `worker` and `run`."""
    app.command()(worker)
    app.command()(run)


def worker(
    view: Annotated[str, typer.Argument(help="The view to run, such as `stock`.")],
    instance: Annotated[
        str, typer.Option(help="A stable name: a restart under it causes no rebalance.")
    ] = "",
    follows: Annotated[
        int,
        typer.Option(
            min=0, help="A new version: stay muted behind this older version until `vaart views switch`."
        ),
    ] = 0,
) -> None:
    """Run one live view until SIGTERM.

    Examples: `vaart worker stock`, `vaart worker profiles --instance profiles-0`, `vaart worker stock --follows 1`.
    """
    import asyncio

    from schemas.codec import Codec
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
    logs.configure(f"worker-{view}", loaded.log_level)
    found = addresses.resolve(loaded)
    kafka.wait_until_reachable(loaded, found)
    if not follows:
        require_heir(known, loaded, found)

    registry = registry_of(loaded, found)

    collector.calm()

    async def serve() -> None:
        codec = Codec(registry, loaded.kafka.topic_prefix)
        await Worker(known, VIEWS, loaded, found, codec, instance, follows).run()

    asyncio.run(serve())


def run() -> None:
    """Run the gateway, every view and every sink in this terminal, until Ctrl-C.

    A service that crashes is started again. Logs are in the state folder, one file a service.
    Example: `vaart up && vaart run`.
    """
    import signal
    import time

    from rich.console import Console

    from vaart import settings
    from vaart.cli.services import every_service, note_run
    from vaart.supervisor import Supervisor

    loaded = settings.load()
    console = Console()
    supervisor = Supervisor(every_service(), loaded.state_dir / "logs", {})
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        note_run(loaded.state_dir)
        supervisor.start()
        console.print(
            f"{len(supervisor.services)} services run; their logs are in {loaded.state_dir / 'logs'}"
        )
        while True:
            for service in supervisor.check():
                console.print(f"{service.name} ended; it starts again (see {service.name}.log)")
            time.sleep(0.5)
    except KeyboardInterrupt:
        console.print("stopping")
    finally:
        supervisor.stop()
