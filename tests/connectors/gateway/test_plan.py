"""A source's tracking plan at the gateway: what is not as planned is answered, kept, marked and counted."""

from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from connectors.gateway import verdicts
from connectors.gateway.redrive import read_again
from connectors.plans.checking import OFF_PLAN, Flag
from connectors.protocol.channel import Fetch, Reject, Verdict
from connectors.sources import Sources, load
from schemas.topics import ORDERS, RAW
from tests.connectors.channels.samples import shopify
from tests.connectors.gateway.conftest import Log, Open, Parts
from tests.connectors.gateway.test_webhooks import posted, signed
from vaart.errors import ConfigFault

PLAN = "events: {OrderPlaced: {fields: {currency: {one_of: [USD]}}, others: allowed}}"
FLAG = Flag("not_allowed", "OrderPlaced", "currency")
ENTRY = "{channel: shopify, secrets: [{env: S}], zone: Europe/Amsterdam, currency: EUR, region: NL%s}"


def sources(folder: Path, plan: str) -> Sources:
    (folder / "plans").mkdir()
    (folder / "plans" / "shop.yaml").write_text(plan)
    path = folder / "sources.yaml"
    path.write_text(f"sources: {{shop-nl: {ENTRY % ', plan: plans/shop.yaml'}}}")
    return load(path, {"S": shopify.SECRET})


def counted(reason: str) -> float:
    labels = {"channel": "shopify", "source": "shop-nl", "reason": reason}
    return REGISTRY.get_sample_value("vaart_plan_violations_total", labels) or 0.0


@pytest.mark.servers
async def test_an_event_that_is_not_as_planned_is_kept_marked_and_counted(
    opened: Open, log: Log, tmp_path: Path
) -> None:
    before = counted("not_allowed")
    known = sources(tmp_path, PLAN)
    async with opened(Parts(known)) as (client, _):
        assert (await posted(client, signed(shopify.ORDER))).status == 200
    (event,) = log.events(1, ORDERS)
    assert event.meta.context[OFF_PLAN] == "not_allowed currency"
    (raw,) = log.events(1, RAW)
    assert raw.verdict == "1 OrderPlaced; off plan: 1 not_allowed currency (OrderPlaced)"
    assert counted("not_allowed") == before + 1

    again = read_again(raw, known)
    assert isinstance(again, Verdict)
    (same,) = again.events
    assert (same.meta.event_id, same.meta.context[OFF_PLAN]) == (event.meta.event_id, "not_allowed currency")


@pytest.mark.servers
async def test_an_event_that_is_as_planned_has_no_mark(opened: Open, log: Log, tmp_path: Path) -> None:
    async with opened(Parts(sources(tmp_path, PLAN.replace("USD", "EUR")))) as (client, _):
        await posted(client, signed(shopify.ORDER))
    (event,) = log.events(1, ORDERS)
    assert OFF_PLAN not in event.meta.context
    (raw,) = log.events(1, RAW)
    assert raw.verdict == "1 OrderPlaced"


def test_faults_of_plans_are_said_with_those_of_their_sources(tmp_path: Path) -> None:
    with pytest.raises(ConfigFault) as raised:
        sources(tmp_path, "events: {OrderPlacd: {}, OrderPaid: {fields: {orderid: {}}}}")
    told = str(raised.value)
    assert "shop-nl: " in told
    assert "OrderPlacd: is no event that sources send; did you mean OrderPlaced?" in told
    assert "there is no orderid in it; did you mean order_id?" in told


def test_a_verdict_is_read_as_it_was_written() -> None:
    verdict = Verdict(fetches=[Fetch("order", "1")], rejects=[Reject("unfit", "", b"")])
    told = verdicts.read(verdicts.words(verdict, 2, [FLAG, FLAG, Flag("unplanned_event", "Size Guide")]))
    assert (told.events, told.rejected, told.to_fetch) == ({}, 2, 1)
    assert told.off_plan == {FLAG: 2, Flag("unplanned_event", "Size Guide"): 1}
    many = [Flag("missing", "A", f"f{'x' * each}") for each in range(verdicts.FLAGS_MAX + 3)]
    counted = verdicts.read(verdicts.words(Verdict(), 0, many))
    assert (len(counted.off_plan), counted.more_flags) == (verdicts.FLAGS_MAX, 3)


@pytest.mark.parametrize(
    "text", ["", verdicts.NOTHING, "; off plan: ", "x y, 3; off plan: 1 odd (A)", "accepted"]
)
def test_what_no_verdict_says_counts_for_nothing(text: str) -> None:
    assert verdicts.read(text) == verdicts.Told()


def test_a_source_that_is_polled_is_not_silent_between_two_polls(tmp_path: Path) -> None:
    path, poll = (
        tmp_path / "sources.yaml",
        "{poller: shopify_orders, base_url: 'https://s.example', token: {env: S}}",
    )
    for silent_after_s, is_good in ((300, False), (301, True)):
        more = f", silent_after_s: {silent_after_s}, poll: {poll}"
        path.write_text(f"sources: {{shop-nl: {ENTRY % more}}}")
        if is_good:
            assert load(path, {"S": "hush"}).by_name["shop-nl"].form.silent_after_s == 301
            continue
        with pytest.raises(ConfigFault, match=r"shop-nl: silent_after_s must be more than poll\.every_s"):
            load(path, {"S": "hush"})
