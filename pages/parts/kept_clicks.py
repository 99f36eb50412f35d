"""Clicks that come while a run of the page is ending, which Streamlit loses now and then.

A click ends the run that is under way and begins another, in a thread of its own. An older run that was through
already, and had but to clear up after itself, took every click for its own in Streamlit 1.67 and forgot it
(``SessionState._reset_triggers``), also the one that the newer run had just been begun for. To let the runs follow
each other (``runner.fastReruns``) is no way out: a page that is opened may be lost to what the one before still tells.
"""

from typing import Any

from streamlit.runtime.scriptrunner.script_runner import ScriptRunner, ScriptRunnerEvent
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequestType

_finish = ScriptRunner._on_script_finished


def _finish_unless_followed(
    self: ScriptRunner, ctx: Any, event: ScriptRunnerEvent, premature_stop: bool, run_descriptor: Any
) -> None:
    """Clear up as Streamlit does, but not where the run was asked to make way: as it is with one cut short."""
    if not premature_stop:
        with self._requests._lock:  # the next run begins when this one has been asked, and that waits here
            if self._requests._state is not ScriptRequestType.STOP:
                complete = ctx.has_script_started and event != ScriptRunnerEvent.SCRIPT_STOPPED_FOR_RERUN
                drawn = ctx.shared.widget_ids_this_run.snapshot()
                self._session_state.on_script_finished(drawn, remove_stale_widgets=complete)
    _finish(self, ctx, event, True, run_descriptor)


def keep_clicks() -> None:
    """Let a click be heard whenever it comes; once in a process is enough."""
    ScriptRunner._on_script_finished = _finish_unless_followed  # type: ignore[method-assign]
