"""What the Recognise page shows of many pictures, as Streamlit runs it."""

import csv
import io

import numpy as np
import pandas as pd
from streamlit.testing.v1 import AppTest

from hanzi_core.bundle import BUILT_IN, Bundle
from hanzi_core.errors import ImageError
from hanzi_core.jobs import Job
from hanzi_core.jobs.work import run_work
from hanzi_core.language import mark, set_language_source
from hanzi_core.recognition.batch import COLUMNS, TABLE, write_faults
from hanzi_core.recognition.corrections import Corrections
from hanzi_core.workspace import Workspace
from pages.parts.model_card import names_to_choose
from pages.parts.recognise_batch import read_table
from tests.conftest import PROJECT
from tests.handwriting import draw


def page() -> None:
    from types import SimpleNamespace
    from typing import Any, cast

    from hanzi_core.workspace import Workspace
    from pages.parts.recognise_batch import show_batch

    show_batch(cast("Any", SimpleNamespace(space=Workspace.open())), [])


def test_a_damaged_model_is_named_by_its_key(workspace: Workspace) -> None:
    torn = workspace.models / "torn"
    torn.mkdir()
    (torn / "card.json").write_text("{")
    assert names_to_choose({"builtin": BUILT_IN, "torn": torn}) == {"builtin": "Built-in", "torn": "torn (damaged)"}


def test_corrections_name_the_built_in_model_in_the_language_of_the_reader(workspace: Workspace) -> None:
    card = Bundle.open(BUILT_IN).card
    for name in (card.name, "mine"):
        written = draw("木", np.random.default_rng(0))
        Corrections(workspace).add(written, "本", [], card.model_copy(update={"name": name}))
    app = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=30)
    app.query_params["lang"] = "zh_CN"
    app.session_state["recognise-way"] = "纠正"
    app.run()
    assert not app.exception
    assert set(app.dataframe[0].value["model"]) == {"内置模型", "mine"}


def finished_job(workspace: Workspace) -> Job:
    """A job that read one picture, found no ink in another, and could not read the third; its table is English."""
    error = ImageError(mark("{name} is empty (0 bytes)."), name="c.png")
    rows = [
        ["a.png", *"人入八儿大尺久卜几乂", "0.912345", *["0.010000"] * 9, ""],
        ["b.png", *[""] * 21],
        ["c.png", *[""] * 20, str(error)],
    ]

    def work(_work: object) -> dict[str, int]:
        with (job.folder / TABLE).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([COLUMNS, *rows])
        write_faults(job.folder, [("c.png", error)])
        return {"images": 3, "faults": 1}

    job = Job.create(workspace, "predict", {}, "three files")
    assert run_work(job, work) == 0
    return job


def test_faults_are_told_in_the_language_of_the_reader(workspace: Workspace) -> None:
    job = finished_job(workspace)
    set_language_source(lambda: "zh_CN")
    app = AppTest.from_function(page, default_timeout=30).run()
    assert not app.exception
    shown: pd.DataFrame = app.dataframe[0].value
    assert shown["error"].tolist() == ["", "没有找到墨迹", "c.png 是空的（0 字节）。"]
    assert shown["probability_1"].isna().tolist() == [False, True, True]
    app.button_group[0].set_value("faulty").run()
    assert app.dataframe[0].value.to_dict("records") == [{"path": "c.png", "error": "c.png 是空的（0 字节）。"}]
    table = list(csv.reader(io.StringIO(read_table(job.folder).to_csv(index=False))))
    assert table[0] == list(COLUMNS)
    assert table[1][11] == "0.912345", "as it was written"
    assert [row[-1] for row in table[1:]] == ["", "", "c.png 是空的（0 字节）。"]
