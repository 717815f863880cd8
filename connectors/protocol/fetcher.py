"""What a fetcher is: two pure functions for a thing that a request only pointed at, by its id.

A thing may take several questions: `next_page` of what one answer means is asked for next, empty where that was all.
"""

from collections.abc import Callable
from dataclasses import dataclass

from connectors.protocol.channel import Source
from connectors.protocol.poller import Answered, Api, Ask, Page


@dataclass(frozen=True, slots=True)
class Fetcher:
    """How `what` is asked of a source of `channel`.

    `ask(id, page, source)` is the request; `read(answer, id, source)` raises NotReadable or Unfit for an answer of
    which nothing can be made.
    """

    channel: str
    what: str
    api: Api
    ask: Callable[[str, str, Source], Ask]
    read: Callable[[Answered, str, Source], Page]
