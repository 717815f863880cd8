"""A worker of the stormy view as a process of its own: INSTANCE names it, MUTANT breaks its engine."""

import asyncio
import os
import sys

from tests.streams.engine import mutants

mutants.infect_if_told()

from streams.engine.worker import Worker  # noqa: E402
from tests.streams.engine.proof import CODING  # noqa: E402
from tests.streams.engine.stormy import VIEW  # noqa: E402
from vaart import addresses, logs, settings  # noqa: E402
from vaart.errors import VaartError  # noqa: E402


async def main() -> None:
    loaded = settings.load()
    logs.configure("worker-stormy", loaded.log_level)
    await Worker(VIEW, (VIEW,), loaded, addresses.resolve(loaded), CODING, os.environ["INSTANCE"]).run()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except VaartError as error:  # as the command does
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
