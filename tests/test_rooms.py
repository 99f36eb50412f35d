"""The house of docs/architecture: imports run down, the web process stays light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]

# From the ground up; a room may import its own modules and those of lower floors. Sisters share a floor.
FLOORS = [
    {"language"},
    {"errors"},
    {"workspace"},
    {"image"},
    {"jobs"},
    {"dataset"},
    {"strokes"},
    {"bundle"},
    {"bundle_archive"},
    {"training", "evaluation", "recognition"},
    {"charts"},
    {"cli"},
    {"__main__"},
]
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}


def modules() -> list[Path]:
    return sorted((PROJECT / "hanzi_core").rglob("*.py"))


def room_of(dotted: str) -> str:
    return dotted.split(".")[1]


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PROJECT)))
def test_a_room_imports_only_what_stands_below_it(path: Path) -> None:
    parts = path.relative_to(PROJECT / "hanzi_core").with_suffix("").parts
    if parts[0] == "__init__":
        return
    for name in imports(path):
        if name.startswith("hanzi_core.") and room_of(name) not in (parts[0], "__version__"):
            assert FLOOR_OF[room_of(name)] < FLOOR_OF[parts[0]], f"{'.'.join(parts)} imports {name}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PROJECT)))
def test_the_core_knows_no_streamlit(path: Path) -> None:
    assert not {name for name in imports(path) if name.split(".")[0] == "streamlit"}


def test_no_page_brings_in_tensorflow_or_keras() -> None:
    """In a process of its own: everything that the pages import, and what the command line imports before its verb."""
    pages = sorted((PROJECT / "pages").rglob("*.py"))
    names = sorted(
        {name.rsplit(".", 1)[0] for page in pages for name in imports(page) if name.startswith("hanzi_core.")}
    )
    program = (
        "import sys, importlib\n"
        f"for name in {names!r} + ['hanzi_core.cli']:\n"
        "    importlib.import_module(name)\n"
        "sys.modules['hanzi_core.cli'].build()\n"
        "print([name for name in ('tensorflow', 'keras') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=PROJECT, check=False)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
