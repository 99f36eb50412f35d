"""A click at the moment that an older run of the page ends."""

from typing import Any
from unittest.mock import MagicMock

import pytest
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner, ScriptRunnerEvent
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequests

from pages.parts.kept_clicks import keep_clicks


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> Any:
    """One whose page is through, with stand-ins for the session and for whoever hears of it."""
    monkeypatch.setattr(
        ScriptRunner, "_on_script_finished", ScriptRunner._on_script_finished
    )  # put back after the test
    keep_clicks()
    runner = ScriptRunner.__new__(ScriptRunner)
    runner._requests = ScriptRequests()
    runner._join_wake_lock = MagicMock()
    runner._session_state = MagicMock()
    runner.on_event = MagicMock()
    return runner


def finish(runner: Any, premature_stop: bool = False) -> MagicMock:
    """What the session was told at the end of the run."""
    event = ScriptRunnerEvent.SCRIPT_STOPPED_WITH_SUCCESS
    runner._on_script_finished(MagicMock(has_script_started=True), event, premature_stop, MagicMock())
    assert runner.on_event.send.call_count == 1, "that it has ended is told in any case"
    told: MagicMock = runner._session_state.on_script_finished
    return told


def test_a_run_that_was_asked_to_make_way_leaves_the_clicks_to_the_next(runner: Any) -> None:
    runner._requests.request_stop()
    assert not finish(runner).called


def test_a_run_that_none_follows_clears_up_once(runner: Any) -> None:
    told = finish(runner)
    assert told.call_count == 1
    assert told.call_args.kwargs == {"remove_stale_widgets": True}


def test_a_run_that_was_cut_short_does_not_clear_up(runner: Any) -> None:
    assert not finish(runner, premature_stop=True).called
