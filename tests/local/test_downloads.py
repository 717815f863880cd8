"""What the servers are made of arrives whole, with the right sum, or not at all."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from vaart.errors import DependencyAway
from vaart.local import downloads


class _Damaged(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "7")
        self.end_headers()
        self.wfile.write(b"damaged")

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Says nothing."""


@pytest.fixture
def mirror() -> Iterator[str]:
    """A repository that serves something else under every name."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Damaged) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def name_mirror(address: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "jgo.conf").write_text(f"[repositories]\ncentral = {address}\n")
    monkeypatch.setenv("JGO_CONFIG_FILE", str(folder / "jgo.conf"))


def test_every_server_that_is_downloaded_is_pinned() -> None:
    assert [artifact.name for artifact in downloads.pinned("registry")] == ["apicurio-registry-app"]
    names = [artifact.name for artifact in downloads.pinned("kafka")]
    assert {"kafka_2.13", "kafka-clients", "log4j-core", "log4j-slf4j-impl"} <= set(names)
    assert len(names) == len(set(names))


def test_a_damaged_file_is_named_and_not_kept(
    cache: Path, mirror: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name_mirror(mirror, tmp_path, monkeypatch)
    first = downloads.missing("kafka")[0]
    with pytest.raises(
        DependencyAway, match=rf"{first.file_name} arrived with sha256 .*expected {first.sha256}"
    ):
        downloads.fetch([first])
    assert downloads.missing("kafka")[0] == first
    assert not [path for path in cache.rglob("*") if path.is_file()]


def test_an_unreachable_repository_says_what_to_do(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name_mirror("http://127.0.0.1:1", tmp_path, monkeypatch)
    with pytest.raises(DependencyAway, match=r"cannot download .*(?s:.*)VAART_KAFKA__BOOTSTRAP_SERVERS"):
        downloads.fetch(downloads.missing("kafka")[:3])
