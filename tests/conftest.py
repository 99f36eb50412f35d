import functools
import gc
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from streamlit.components.v2 import manifest_scanner

from hanzi_core.bundle import BUILT_IN
from hanzi_core.jobs import Job, list_jobs
from hanzi_core.language import set_language_source
from hanzi_core.recognition import Recogniser
from hanzi_core.workspace import ENVIRONMENT_VARIABLE, Workspace
from tests.handwriting import write_collection

PROJECT = Path(__file__).parents[1]
# As runs set it: a run continued in the tests' own process must compute what its own process would.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
SHARED_DATA = PROJECT.parent / "shared" / "data"

Command = Callable[..., subprocess.CompletedProcess[str]]


def run_command(root: Path, *arguments: str, timeout_s: float = 600) -> subprocess.CompletedProcess[str]:
    """``python -m hanzi_core`` on the workspace at ``root``, as a person types it."""
    environment = {**os.environ, "PYTHONUTF8": "1", "LC_ALL": "C.UTF-8", "LANGUAGE": "en"}
    command = [sys.executable, "-m", "hanzi_core", "--workspace", str(root), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=timeout_s, cwd=PROJECT, env=environment, check=False
    )


gc.disable()  # what is imported now stays


def pytest_collection_finish() -> None:
    """From here on only what tests make is looked through for garbage, not all of TensorFlow each time."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest come first: two processes share them out, and none ends alone with a long one."""
    items.sort(key=lambda item: "browser" not in item.path.parts and not item.path.name.startswith("test_training"))


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    set_language_source(lambda: "en")
    yield
    set_language_source(lambda: "en")


@pytest.fixture(scope="session", autouse=True)
def _components_found_once() -> Iterator[None]:
    """Each page under test looks through all installed packages for components: half a second of the processor."""
    with pytest.MonkeyPatch.context() as patch:
        found = functools.cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", found)
        yield


@pytest.fixture(autouse=True)
def _main_module() -> Iterator[None]:
    """A page under test stays ``__main__``; what a later test spawns would begin by running it."""
    main_module = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main_module


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """An empty workspace, which is also that of every page and command."""
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path / "workspace"))
    return Workspace.open()


@pytest.fixture
def command(workspace: Workspace) -> Command:
    """Runs a verb of the command line on ``workspace``."""
    return lambda *arguments, **options: run_command(workspace.root, *arguments, **options)


@pytest.fixture(scope="session")
def common_place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this session of tests share."""
    place = tmp_path_factory.getbasetemp()
    return place.parent if "PYTEST_XDIST_WORKER" in os.environ else place


@pytest.fixture(scope="session", autouse=True)
def compiled_once(common_place: Path) -> None:
    """What one process has JAX compile, the next one takes over."""
    os.environ["JAX_COMPILATION_CACHE_DIR"] = str(common_place / "compiled")


@pytest.fixture(scope="session")
def trained(common_place: Path) -> Workspace:
    """A workspace with the dataset “ten”, a finished run and its evaluation; made once for all. Read it only."""
    root = common_place / "trained"
    with FileLock(common_place / "trained.lock"):
        if not (common_place / "trained.done").exists():
            pictures = write_collection(common_place / "ten", count=24)
            for arguments in (
                ["dataset", "import", str(pictures), "--name", "ten"],
                ["train", "--dataset", "ten", "--epochs", "14", "--batch-size", "16"],
            ):
                done = run_command(root, *arguments)
                assert done.returncode == 0, done.stderr
            (common_place / "trained.done").touch()
    return Workspace.open(root)


@pytest.fixture
def finished_run(trained: Workspace) -> Job:
    """The run of :func:`trained`."""
    return list_jobs(trained, "train")[0]


@pytest.fixture(scope="session")
def built_in() -> Recogniser:
    """The built-in model."""
    return Recogniser.open(BUILT_IN)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real handwriting for development, kept beside the project."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the development sets are not beside the project")
    return SHARED_DATA
