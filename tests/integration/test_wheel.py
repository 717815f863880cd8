"""The built wheel is whole: the parts that need no server pass their tests on it, with every file that they read."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
SUITES = (
    "tests/schemas/test_events.py",
    "tests/streams/views",
    "tests/streams/journeys",
    "tests/connectors/files/test_mapping.py",
)


def test_the_wheel_passes_the_tests_that_need_no_server(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    unpacked = tmp_path / "unpacked"
    zipfile.ZipFile(wheel).extractall(unpacked)
    (unpacked / "tests").symlink_to(ROOT / "tests")
    (unpacked / "pyproject.toml").symlink_to(ROOT / "pyproject.toml")
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(unpacked), *SUITES],
        cwd=unpacked,
        env={**os.environ, "PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-3000:]
    for needed in ("sinks/notifications/templates/thank_you.en.txt", "deploy/demo/complete_journey.yaml"):
        assert (unpacked / needed).is_file(), needed
    where = subprocess.run(
        [sys.executable, "-c", "import schemas, deploy.demo; print(schemas.__file__)"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert where.stdout.startswith(str(unpacked))
