"""The archive (`ingest.events`) as `vaart events find` asks it."""

from typing import Any

import psycopg
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

from schemas.keys import IDS_SHOW_PEOPLE
from schemas.readable import instant
from sinks.postgres import schema
from vaart.cli.sightings import Sighting, Wanted, folded
from vaart.errors import ConfigFault

CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT = "300s"

_EQUAL = ("type", "channel", "source", "event_id")
_SELECT = """
SELECT (extract(epoch FROM received_at) * 1000000)::bigint, (extract(epoch FROM occurred_at) * 1000000)::bigint,
    type, channel, source, source_event_id, event_id, key, identifiers, context, event,
    src_topic, src_partition, src_offset, personal
FROM ingest.events WHERE true
"""
_ORDER = " ORDER BY received_at DESC, src_topic, src_partition, src_offset DESC LIMIT %(limit)s"
_IDENTIFIER = " AND lower(identifiers::text)::jsonb @> %(folded)s"
_SPELLED = " AND identifiers @> %(spelled)s"


def find(
    dsn: str, wanted: Wanted, since_ms: int | None, until_ms: int | None, limit: int, *, is_clear: bool
) -> list[Sighting]:
    """The newest `limit` events that fit and came in between these moments, oldest first.

    Raises DependencyAway, and ConfigFault where the database has no archive or keeps it from this user.
    """
    query, values = _question(wanted, since_ms, until_ms, limit)
    try:
        with psycopg.connect(dsn, connect_timeout=CONNECT_TIMEOUT_S, application_name="vaart-events") as at:
            at.execute("SELECT set_config('statement_timeout', %s, false)", (STATEMENT_TIMEOUT,))
            rows = at.cursor(row_factory=tuple_row).execute(query.encode(), values).fetchall()
    except psycopg.errors.UndefinedTable:
        raise ConfigFault("the database has no archive yet: run `vaart db upgrade`.") from None
    except psycopg.errors.InsufficientPrivilege:
        raise ConfigFault(
            "this database user may not read ingest.events, which holds personal data in clear:\n"
            "let VAART_POSTGRES__DSN name vaart_sink or vaart_owner. Analysts read mart.events by SQL."
        ) from None
    except psycopg.OperationalError as error:
        raise schema.away(error) from None
    return [_sighting(row, is_clear=is_clear) for row in reversed(rows)]


def _question(
    wanted: Wanted, since_ms: int | None, until_ms: int | None, limit: int
) -> tuple[str, dict[str, Any]]:
    query, values = _SELECT, {name: getattr(wanted, name) for name in _EQUAL} | {"limit": limit}
    query += "".join(f" AND {name} = %({name})s" for name in _EQUAL if values[name])
    for word, sign, moment in (("since", ">=", since_ms), ("until", "<", until_ms)):
        if moment is not None:
            values[word] = moment
            query += f" AND received_at {sign} timestamptz 'epoch' + %({word})s * interval '1 millisecond'"
    if wanted.identifier is not None:
        kind, value = wanted.identifier
        values |= {"folded": _listed(kind.lower(), value.strip().lower()), "spelled": _listed(kind, value)}
        # Only of personal kinds two spellings may mean the same.
        query += _IDENTIFIER if folded(kind, "A") == (kind, "a") else _IDENTIFIER + _SPELLED
    return query + _ORDER, values


def _listed(kind: str, value: str) -> Jsonb:
    return Jsonb([{"kind": kind, "value": value}])


def _sighting(row: tuple[Any, ...], *, is_clear: bool) -> Sighting:
    received_at, occurred_at, *others, personal = row
    found = Sighting(instant(received_at), instant(occurred_at), *others)
    hides_ids = not IDS_SHOW_PEOPLE.isdisjoint((found.channel, found.event.get("medium")))
    return found if is_clear else found.masked(personal, hides_ids=hides_ids)
