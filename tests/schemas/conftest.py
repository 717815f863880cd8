"""Every test of the codec runs on both: the compiled one, and the functions that take its place without a compiler."""

import pytest

from schemas import coders


@pytest.fixture(params=["compiled", "python"])
def codec_kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Which codec the test runs on."""
    kind: str = request.param
    if kind == "python":
        monkeypatch.setattr(coders, "compiled", None)
    elif coders.compiled is None:
        pytest.skip("the compiled codec was not built here: install a C compiler, then `uv pip install -e .`")
    return kind
