"""The archive: every event as it was received, by month, and the view of it in which personal data is masked."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006"
down_revision = "0005"

Instant = sa.TIMESTAMP(timezone=True)

# Nobody waits here for long: what another session holds is tried again with the next batch. Until then events of a
# month that is not there go into the default partition, from which they move when the month is made.
MAKE_MONTH = """
CREATE FUNCTION ingest.make_month_of_events(moment timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET "TimeZone" = 'UTC' AS $$
DECLARE
    start timestamptz;
    part text;
    this_month timestamptz := date_trunc('month', moment);
BEGIN
    FOREACH start IN ARRAY ARRAY[this_month, this_month + interval '1 month'] LOOP
        part := to_char(start, '"events_"YYYY_MM');
        CONTINUE WHEN start < '1990-01-01' OR start > now() + interval '1 month';
        CONTINUE WHEN to_regclass('ingest.' || part) IS NOT NULL;
        PERFORM pg_advisory_xact_lock(hashtext('ingest.events'));
        BEGIN
            LOCK TABLE ONLY ingest.events IN SHARE UPDATE EXCLUSIVE MODE NOWAIT;
            -- Another sink may have made it meanwhile: a lock on a table, and no other, shows what others have made.
            CONTINUE WHEN to_regclass('ingest.' || part) IS NOT NULL;
            LOCK TABLE ingest.events_default IN ACCESS EXCLUSIVE MODE NOWAIT;
            EXECUTE format('CREATE TABLE ingest.%I (LIKE ingest.events INCLUDING ALL)', part);
            EXECUTE format('COMMENT ON TABLE ingest.%I IS %L', part, to_char(start, '"Events of "YYYY-MM'));
            EXECUTE format(
                'WITH moved AS (DELETE FROM ingest.events_default WHERE received_at >= %L AND received_at < %L'
                ' RETURNING *) INSERT INTO ingest.%I SELECT * FROM moved',
                start, start + interval '1 month', part
            );
            EXECUTE format(
                'ALTER TABLE ingest.events ATTACH PARTITION ingest.%I FOR VALUES FROM (%L) TO (%L)',
                part, start, start + interval '1 month'
            );
        EXCEPTION WHEN lock_not_available THEN
            NULL;
        END;
    END LOOP;
END
$$
"""
MASKED = """
CREATE FUNCTION mart.masked(value jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN CASE jsonb_typeof(value)
        WHEN 'object' THEN (
            SELECT coalesce(jsonb_object_agg(name, mart.masked(inner_value)), '{}')
            FROM jsonb_each(value) AS entry (name, inner_value)
        )
        WHEN 'array' THEN (
            SELECT coalesce(jsonb_agg(mart.masked(inner_value) ORDER BY number), '[]')
            FROM jsonb_array_elements(value) WITH ORDINALITY AS entry (inner_value, number)
        )
        ELSE '"***"'
    END;
END
$$
"""
MASKED_EVENT = """
CREATE FUNCTION mart.masked_event(event jsonb, personal jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    place text[];
BEGIN
    FOR place IN SELECT string_to_array(path, '/') FROM jsonb_array_elements_text(personal) AS given (path) LOOP
        event := jsonb_set(event, place, mart.masked(event #> place), false);
    END LOOP;
    RETURN event;
END
$$
"""
MASKED_IDENTIFIERS = """
CREATE FUNCTION mart.masked_identifiers(identifiers jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(jsonb_agg(identifier || '{"value": "***"}' ORDER BY number), '[]')
    FROM jsonb_array_elements(identifiers) WITH ORDINALITY AS entry (identifier, number)
$$
"""
FUNCTIONS = {
    "ingest.make_month_of_events(timestamptz)": "The partition of a month and of the next are there",
    "mart.masked(jsonb)": "*** for each value in it; names stay",
    "mart.masked_event(jsonb, jsonb)": "An event with what stands at the personal paths replaced by ***",
    "mart.masked_identifiers(jsonb)": "Identifiers with their values replaced by ***",
}
VIEW = """
CREATE VIEW mart.events AS
SELECT event_id, type, channel, source,
    CASE WHEN source_event_id IS NOT NULL
        AND ARRAY[channel, event ->> 'medium'] && ARRAY['messaging', 'phone', 'whatsapp', 'sms']
        THEN '***' ELSE source_event_id END AS source_event_id,
    occurred_at, received_at, key, mart.masked_identifiers(identifiers) AS identifiers,
    mart.masked(context) AS context, mart.masked_event(event, personal) AS event,
    src_topic, src_partition, src_offset, ingested_at
FROM ingest.events
"""
MASKED_COLUMNS = {
    "source_event_id": "The source's own id of the event; *** where it may be a telephone number",
    "identifiers": "Of which kinds the identifiers are by which the source knows the customer; values are ***",
    "context": "What else is known, such as page, campaign and device, by name; values are ***",
    "event": "All other fields: times and days as ISO texts, amounts as decimal texts; *** where they are personal",
}


def upgrade() -> None:
    op.execute("GRANT USAGE ON SCHEMA ingest TO vaart_sink")
    op.execute(
        "ALTER DEFAULT PRIVILEGES IN SCHEMA ingest GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO vaart_sink"
    )
    _create_table()
    op.execute("CREATE TABLE ingest.events_default PARTITION OF ingest.events DEFAULT")
    op.execute(
        "COMMENT ON TABLE ingest.events_default IS "
        "'Events whose time is before 1990 or lies ahead, or whose month could not be made yet; else empty'"
    )
    for function in (MAKE_MONTH, MASKED, MASKED_EVENT, MASKED_IDENTIFIERS):
        op.execute(function)
    for signature, comment in FUNCTIONS.items():
        op.execute(f"COMMENT ON FUNCTION {signature} IS '{comment}'")
    op.execute("REVOKE ALL ON FUNCTION ingest.make_month_of_events FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION ingest.make_month_of_events TO vaart_sink")
    op.execute("SELECT ingest.make_month_of_events(now())")
    op.execute(VIEW)
    _comment_view()
    op.execute("COMMENT ON COLUMN ops.sink_offsets.projection IS 'The table, such as orders'")


def downgrade() -> None:
    op.execute("COMMENT ON COLUMN ops.sink_offsets.projection IS 'The table in core'")
    op.execute("DROP VIEW mart.events")
    for signature in reversed(FUNCTIONS):
        op.execute(f"DROP FUNCTION {signature}")
    op.drop_table("events", schema="ingest")
    op.execute("DELETE FROM ops.sink_offsets WHERE projection = 'events'")
    op.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA ingest REVOKE ALL ON TABLES FROM vaart_sink")
    op.execute("REVOKE ALL ON SCHEMA ingest FROM vaart_sink")


def _create_table() -> None:
    op.create_table(
        "events",
        sa.Column(
            "received_at",
            Instant,
            nullable=False,
            comment="When it came in; its month (UTC) is its partition",
        ),
        sa.Column(
            "event_id",
            sa.Text,
            nullable=False,
            comment="The event's id; one that was sent twice stands here twice",
        ),
        sa.Column(
            "type", sa.Text, nullable=False, comment="What happened or is asked for, such as OrderPlaced"
        ),
        sa.Column("channel", sa.Text, nullable=False, comment="Channel, such as web or store"),
        sa.Column("source", sa.Text, nullable=False, comment="The installation that it came from"),
        sa.Column(
            "source_event_id", sa.Text, comment="The source's own id of the event; may be personal data"
        ),
        sa.Column("occurred_at", Instant, nullable=False, comment="When it happened"),
        sa.Column(
            "key", sa.Text, nullable=False, comment="Key of the Kafka record; shows no address of a person"
        ),
        sa.Column(
            "identifiers",
            JSONB,
            nullable=False,
            comment="By what the source knows the customer; personal data",
        ),
        sa.Column(
            "context", JSONB, nullable=False, comment="Page, campaign, device and the like; personal data"
        ),
        sa.Column(
            "event",
            JSONB,
            nullable=False,
            comment="All other fields: times and days as ISO texts, amounts as decimal texts; personal data",
        ),
        sa.Column(
            "personal", JSONB, nullable=False, comment="Paths of the fields of event that are personal data"
        ),
        sa.Column(
            "src_topic", sa.Text, nullable=False, comment="Kafka topic of the record that the row came from"
        ),
        sa.Column("src_partition", sa.Integer, nullable=False, comment="Partition of that record"),
        sa.Column("src_offset", sa.BigInteger, nullable=False, comment="Offset of that record"),
        sa.Column(
            "ingested_at",
            Instant,
            server_default=sa.func.now(),
            nullable=False,
            comment="When the row was last written",
        ),
        sa.PrimaryKeyConstraint(
            "src_topic", "src_partition", "src_offset", "received_at", name=op.f("pk_events")
        ),
        schema="ingest",
        comment="Every event of the public input topics as it was received, by month; kept beyond the topics",
        postgresql_partition_by="RANGE (received_at)",
    )
    for column in ("event_id", "received_at"):
        op.create_index(op.f(f"ix_events_{column}"), "events", [column], schema="ingest")
    op.execute(
        "CREATE INDEX ix_events_identifiers ON ingest.events "
        "USING gin ((lower(identifiers::text)::jsonb) jsonb_path_ops)"
    )


def _comment_view() -> None:
    op.execute("COMMENT ON VIEW mart.events IS 'Every event as it was received, personal data masked'")
    shown = op.get_bind().execute(
        sa.text("""
            SELECT attname, (
                SELECT col_description(attrelid, attnum) FROM pg_attribute AS base
                WHERE attrelid = 'ingest.events'::regclass AND base.attname = shown.attname
            )
            FROM pg_attribute AS shown WHERE attrelid = 'mart.events'::regclass AND attnum > 0
        """)
    )
    for name, inherited in shown.all():
        comment = MASKED_COLUMNS.get(name, inherited).replace("'", "''")
        op.execute(f"COMMENT ON COLUMN mart.events.{name} IS '{comment}'")
