import itertools
import threading
from pathlib import Path

import pandas as pd
import pytest

from hanzi_core.dataset.faults import EXCLUDABLE
from hanzi_core.dataset.manifest import FAULT_NAMES, Fault, fault_name, read_manifest, usable, write_manifest
from hanzi_core.errors import DatasetError
from hanzi_core.workspace import replace_file

TABLE = pd.DataFrame({"path": ["人/1.png", "木/2.png"], "fault": ["", "blank"], "excluded": False, "synthetic": False})


def test_written_and_read(tmp_path: Path) -> None:
    write_manifest(TABLE, tmp_path / "manifest.parquet")
    pd.testing.assert_frame_equal(read_manifest(tmp_path / "manifest.parquet"), TABLE, check_dtype=False)
    assert list(read_manifest(tmp_path / "manifest.parquet", ["path"])) == ["path"]
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.parquet"]


def test_one_from_before_synthetic_pictures_has_none(tmp_path: Path) -> None:
    write_manifest(TABLE.drop(columns="synthetic"), tmp_path / "manifest.parquet")
    assert read_manifest(tmp_path / "manifest.parquet")["synthetic"].tolist() == [False, False]


def test_one_that_is_replaced_while_it_is_read_is_read_whole(tmp_path: Path) -> None:
    path, done = tmp_path / "manifest.parquet", threading.Event()
    versions = []
    for count in (1, 3):
        write_manifest(pd.concat([TABLE] * count), path)
        versions.append(path.read_bytes())

    def replace() -> None:
        for version in itertools.cycle(versions):
            if done.is_set():
                return
            replace_file(path, version, durable=False)

    writer = threading.Thread(target=replace)
    writer.start()
    try:
        assert {len(read_manifest(path, ["fault"])) for _ in range(300)} == {2, 6}
    finally:
        done.set()
        writer.join()


@pytest.mark.parametrize("content", [None, b"", b"PAR1xxxxPAR1"])
def test_missing_or_damaged_is_a_sentence(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "manifest.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DatasetError, match="import the dataset again"):
        read_manifest(path)


def test_what_can_be_used() -> None:
    assert usable(TABLE).tolist() == [True, False]
    assert usable(TABLE.assign(excluded=True)).tolist() == [False, False]


def test_every_fault_has_a_name() -> None:
    assert set(FAULT_NAMES) == set(Fault)
    assert {fault_name(fault.value) for fault in EXCLUDABLE} <= set(FAULT_NAMES.values())
