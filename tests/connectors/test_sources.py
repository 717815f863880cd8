"""The file of sources: what it may hold, and that every fault is said at once and no secret with it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from connectors.sources import load
from tests.connectors.channels.samples import shopify
from vaart.cli.main import app
from vaart.errors import ConfigFault

ROOT = Path(__file__).parents[2]
GOOD = """
sources:
  shop-nl:
    channel: shopify
    secrets: [{env: SHOP_SECRET}, {file: %s}]
    zone: Europe/Amsterdam
    currency: EUR
    region: NL
    options: {stores: {"655441491": haarlem}}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "sources.yaml"
    path.write_text(text)
    return path


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "before"
    path.write_text("the one before\n")
    return path


def test_a_source_knows_all_its_secrets(tmp_path: Path, secret_file: Path) -> None:
    found = load(written(tmp_path, GOOD % secret_file), {"SHOP_SECRET": "hush"})
    installed = found.named("shopify", "shop-nl")
    assert installed is not None
    assert installed.source.secrets == ("hush", "the one before")
    assert installed.source.options == {"stores": {"655441491": "haarlem"}}
    assert found.named("shopify", "shop-be") is None


def test_every_fault_is_said_and_no_secret(tmp_path: Path) -> None:
    text = """
sources:
  Shop NL: {channel: shopify, secrets: [{env: NOT_SET}]}
  second: {channel: shopify, secrets: [{file: /nowhere/at/all}], options: {shops: 1}}
  third: {channel: shopify}
"""
    with pytest.raises(ConfigFault) as raised:
        load(written(tmp_path, text), {"OTHER": "hush"})
    told = str(raised.value)
    for part in (
        "Shop NL: a source's name has at most 64",
        "the variable NOT_SET is not set",
        "second: shopify has no option shops; it has stores",
        "/nowhere/at/all cannot be read",
        "third: needs a secret",
    ):
        assert part in told
    assert "hush" not in told


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("sources: {a: {channel: nothing}}", "sources.a.channel: is no channel; there are"),
        ("sources: {a: {channel: shopify, zone: Haarlem}}", "sources.a.zone: is no time zone"),
        ("sources: {a: {channel: shopify, colour: red}}", "sources.a.colour"),
        ("sources: {a: {channel: shopify, secrets: [hush]}}", "sources.a.secrets.0"),
        ("sources: [", "is not YAML at line 1"),
    ],
)
def test_what_the_file_may_not_hold(tmp_path: Path, text: str, part: str) -> None:
    with pytest.raises(ConfigFault) as raised:
        load(written(tmp_path, text), {})
    assert part in str(raised.value)
    assert "hush" not in str(raised.value)


def test_a_request_can_be_tried_without_a_server(
    tmp_path: Path, secret_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_SECRET", shopify.SECRET)
    sources = written(tmp_path, GOOD % secret_file)
    request = shopify.sign(shopify.sent("orders/create", shopify.ORDER), shopify.SECRET)
    (tmp_path / "body").write_bytes(request.body)
    (tmp_path / "headers").write_text(
        "\n".join(f"{name.title()}: {value}" for name, (value,) in request.headers.items())
    )
    words = ["channels", "try", "shopify", "--source", "shop-nl", "--sources", str(sources)]
    words += ["--headers", str(tmp_path / "headers"), "--body", str(tmp_path / "body")]
    told = CliRunner().invoke(app, words)
    assert told.exit_code == 0, told.output
    assert '"type": "OrderPlaced"' in told.output
    (tmp_path / "body").write_bytes(request.body + b" ")
    refused = CliRunner().invoke(app, words)
    assert refused.exit_code == 1
    assert '"verdict": "refused"' in refused.output


def test_the_addresses_to_give_to_senders(
    tmp_path: Path, secret_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_SECRET", "hush")
    monkeypatch.setenv("VAART_GATEWAY__PUBLIC_URL", "https://in.example/")
    told = CliRunner().invoke(
        app, ["sources", "check", "--sources", str(written(tmp_path, GOOD % secret_file)), "--output", "json"]
    )
    assert '"address": "https://in.example/in/shopify/shop-nl"' in told.output
    assert "hush" not in told.output


def test_the_catalogue_says_how_each_channel_is_known() -> None:
    told = CliRunner().invoke(app, ["channels", "list", "--output", "json"])
    assert '"name": "shopify"' in told.output
    assert '"signature": "documented"' in told.output


POLLED = """
sources:
  shop-nl:
    channel: {channel}
    secrets: [{{env: SECRET}}]
    poll: {{poller: shopify_orders, base_url: "{url}"{more}}}
"""
TOKEN = ", token: {env: TOKEN}"


def test_a_source_that_is_asked_has_a_credential_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "sources.yaml"
    path.write_text(POLLED.format(channel="shopify", url="https://shop.example", more=TOKEN))
    found = load(path, {"SECRET": "s", "TOKEN": "hush"}).by_name["shop-nl"]
    assert (found.credential, found.source.secrets) == ("hush", ("s",))


@pytest.mark.parametrize(
    ("channel", "url", "more", "fault"),
    [
        ("shopify", "https://shop.example", "", "takes token, or client_id and client_secret"),
        (
            "shopify",
            "https://shop.example",
            ", client_id: app" + TOKEN + ", client_secret: {env: TOKEN}",
            "token",
        ),
        ("shopify", "http://shop.example", TOKEN, "one of networks"),
        ("shopify", "file:///etc/passwd", TOKEN, "base_url is an address"),
        ("shopify", "gopher://shop.example", TOKEN, "base_url is an address"),
        ("shopify", "https://me:hush@shop.example", TOKEN, "base_url is an address"),
        ("picqer", "https://shop.example", TOKEN, "does not ask a source of picqer"),
    ],
)
def test_a_poll_that_cannot_be_is_said(tmp_path: Path, channel: str, url: str, more: str, fault: str) -> None:
    path = tmp_path / "sources.yaml"
    path.write_text(POLLED.format(channel=channel, url=url, more=more))
    with pytest.raises(ConfigFault, match=fault) as told:
        load(path, {"SECRET": "s", "TOKEN": "hush"})
    assert "hush" not in str(told.value)


def test_the_example_of_polled_sources_has_no_fault_but_its_secrets() -> None:
    with pytest.raises(ConfigFault) as told:
        load(ROOT / "deploy" / "examples" / "polled.yaml", {})
    faults = str(told.value).splitlines()[1:]
    assert faults
    assert all("is not set" in fault or "cannot be read" in fault for fault in faults)


@pytest.mark.parametrize(
    ("poller", "fault"),
    [
        ("[bol_orders, bol_orders]", "twice"),
        ("[bol_orders, shopify_orders]", "shopify_orders does not ask a source of bol"),
        ("bol_order", "bol_order is no poller"),
    ],
)
def test_pollers_of_a_source_are_its_own_and_each_once(tmp_path: Path, poller: str, fault: str) -> None:
    form = f"""
sources:
  bol-nl:
    channel: bol
    secrets: [{{env: SECRET}}]
    poll: {{poller: {poller}, base_url: https://api.bol.com, client_id: a, client_secret: {{env: SECRET}}}}
"""
    with pytest.raises(ConfigFault, match=fault):
        load(written(tmp_path, form), {"SECRET": "s"})
