"""Builds the compiled codec when vaart is installed. Without a C compiler the install goes on: vaart is slower then."""

import shutil
import sys
import sysconfig
import tempfile
from importlib.util import find_spec
from os import environ
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = "schemas/_avro.c"


class CodecHook(BuildHookInterface):
    """Puts schemas/_avro beside its source, and marks a wheel that holds it as one for this platform."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """See hatchling: called before a wheel or an editable install is put together."""
        fault = build_codec(Path(self.root))
        if fault is None:
            build_data["pure_python"] = False
            build_data["infer_tag"] = True
        else:
            self.app.display_warning(
                f"The compiled codec was not built ({fault}): vaart uses the slower one in Python."
            )


def build_codec(root: Path) -> str | None:
    """After this the module is compiled for this Python, in place. Else returns why not, and no older one is left."""
    for older in (root / SOURCE).parent.glob("_avro*.so"):
        older.unlink()
    if not (Path(sysconfig.get_paths()["include"]) / "Python.h").is_file():
        return "Python's C headers are not installed"
    compiler = _compiler()
    if compiler is None:
        return "no C compiler was found"
    environ["CC"] = compiler
    try:
        _compile(root)
    except Exception as error:  # whatever a compiler does wrong must not keep anyone from installing
        return f"{compiler} failed: {error}"
    return None


def _compiler() -> str | None:
    """The command of a C compiler: the one that is set, one on the PATH, or that of the package ziglang."""
    wanted = [
        environ.get("CC", ""),
        (sysconfig.get_config_var("CC") or "").split(" ")[0],
        "cc",
        "gcc",
        "clang",
    ]
    found = next((name for name in wanted if name and shutil.which(name.split(" ")[0])), None)
    if found is None and find_spec("ziglang"):
        return f"{sys.executable} -m ziglang cc"
    return found


def _compile(root: Path) -> None:
    from setuptools import Distribution, Extension
    from setuptools.command.build_ext import build_ext

    extension = Extension(
        "schemas._avro", [str(root / SOURCE)], extra_compile_args=["-O2", "-Wall", "-Wextra"]
    )
    with tempfile.TemporaryDirectory() as scratch:
        command = build_ext(Distribution({"name": "vaart", "ext_modules": [extension]}))
        command.build_lib, command.build_temp = f"{scratch}/lib", f"{scratch}/temp"
        command.ensure_finalized()
        command.run()
        (built,) = Path(scratch, "lib", "schemas").glob("_avro*")
        shutil.copy2(built, (root / SOURCE).parent / built.name)
