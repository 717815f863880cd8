"""The house rules: who may import whom, what a name may be, what a catalogue holds. A finding names file and line."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("schemas", "streams", "connectors", "sinks", "vaart")

MAY_IMPORT = {
    "vaart.cli": ("schemas", "streams", "connectors", "sinks", "vaart", "deploy"),
    "vaart": ("vaart",),
    "schemas": ("schemas",),
    "streams.views": ("schemas", "streams.view", "streams.views", "streams.journeys"),
    "streams.journeys": ("schemas", "streams.view", "streams.journeys"),
    "streams.view": ("schemas",),
    "streams.engine": ("schemas", "streams", "vaart"),
    "connectors.channels": ("schemas", "connectors.channels", "connectors.protocol", "connectors.vendors"),
    "connectors.pollers": ("schemas", "connectors.pollers", "connectors.protocol", "connectors.vendors"),
    "connectors.protocol": ("schemas", "connectors.protocol"),
    "connectors.vendors": ("schemas", "connectors.vendors", "connectors.protocol"),
    "connectors": ("schemas", "connectors", "vaart"),
    "sinks.projections": ("schemas", "sinks.projections"),
    "sinks": ("schemas", "sinks", "vaart"),
}
"""The longest prefix of a module's name decides."""

PURE = (
    "streams.views",
    "streams.journeys",
    "streams.view",
    "connectors.channels",
    "connectors.pollers",
    "connectors.vendors",
    "connectors.protocol",
    "sinks.projections",
)
READS_TIMES = "connectors.protocol.values"
"""It turns senders' texts into moments, and never asks what time it is."""
NEVER_IN_PURE = {
    "asyncio", "confluent_kafka", "datetime", "faust", "httpx", "logging", "os", "pathlib", "psycopg", "random",
    "requests", "socket", "structlog", "subprocess", "threading", "time",
}  # fmt: skip
CATALOGUES = (
    "streams/views",
    "streams/journeys",
    "connectors/channels",
    "connectors/fetchers",
    "connectors/pollers",
    "sinks/projections",
)
VAGUE = re.compile(r"(^|_)(manager|helper|helpers|util|utils|misc|common)($|_)", re.IGNORECASE)
LEFT_OVER = re.compile(r"#\s*(TODO|FIXME|XXX|HACK)\b|raise NotImplementedError|type:\s*ignore(?!\[)")


def modules() -> Iterator[tuple[str, Path]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path


def imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def belongs(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix + ".")


def rule_of(module: str) -> tuple[str, ...]:
    found = max((prefix for prefix in MAY_IMPORT if belongs(module, prefix)), key=len)
    return MAY_IMPORT[found]


def test_rooms_import_only_what_they_may() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} {module} imports {name}"
        for module, path in modules()
        for line, name in imports(path)
        if name.split(".")[0] in ROOMS and not any(belongs(name, allowed) for allowed in rule_of(module))
    ]
    assert wrong == []


def test_pure_rooms_have_no_clock_and_no_input() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} {module} imports {name}"
        for module, path in modules()
        if any(belongs(module, pure) for pure in PURE)
        for line, name in imports(path)
        if name.split(".")[0] in NEVER_IN_PURE - ({"datetime"} if module == READS_TIMES else set())
    ]
    assert wrong == []


def test_faust_lives_in_the_engine_alone() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}"
        for module, path in modules()
        if not belongs(module, "streams.engine")
        for line, name in imports(path)
        if name.split(".")[0] in {"faust", "mode"}
    ]
    assert wrong == []


def test_no_module_hides_one_of_the_standard_library() -> None:
    # schemas.codec etc. are ours; a bare `logging.py` or `types.py` would be taken for Python's own by a reader.
    wrong = [
        name for name, _ in modules() if name.rsplit(".", 1)[-1] in sys.stdlib_module_names - {"__main__"}
    ]
    assert wrong == []


def test_names_say_something() -> None:
    wrong = []
    for module, path in modules():
        names = [(0, module.rsplit(".", 1)[-1])]
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                names += [(node.lineno, node.name)]
        wrong += [f"{path.relative_to(ROOT)}:{line} {name}" for line, name in names if VAGUE.search(name)]
    assert wrong == []


def test_nothing_is_left_over() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{number} {line.strip()}"
        for _, path in modules()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if LEFT_OVER.search(line)
    ]
    assert wrong == []


@pytest.mark.parametrize("folder", CATALOGUES)
def test_a_catalogue_is_nothing_but_its_list(folder: str) -> None:
    path = ROOT / folder / "__init__.py"
    if not path.exists():
        assert folder == "connectors/channels", f"{folder} has no catalogue"
        return
    allowed = (ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.Expr)
    wrong = [
        f"{folder}:{node.lineno}"
        for node in ast.parse(path.read_text()).body
        if not isinstance(node, allowed)
    ]
    assert wrong == []


def test_other_packages_have_an_empty_init() -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for _, path in modules()
        if path.name == "__init__.py"
        and str(path.parent.relative_to(ROOT)) not in (*CATALOGUES, "vaart")
        and path.read_text().strip()
    ]
    assert wrong == []


def test_every_module_says_what_it_is() -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for _, path in modules()
        if path.name != "__init__.py" and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert wrong == []


def test_comparing_secrets_is_constant_time() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{number}"
        for module, path in modules()
        if belongs(module, "connectors")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(r"signature\s*(==|!=)|(==|!=)\s*signature", line)
    ]
    assert wrong == []
