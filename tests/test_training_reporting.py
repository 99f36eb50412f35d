from hanzi_core.training.backend import load_backend

load_backend(["cpu"])

from hanzi_core.training.reporting import Pace  # noqa: E402


def test_no_time_is_left_after_the_last_step_however_long_the_run_may_take() -> None:
    pace = Pace(0, 2)
    assert pace.progress(60.0).remaining_s == 60.0, "all that is known before the first step"
    pace.step(1)
    pace.step(2)
    assert pace.progress(60.0).remaining_s == 0.0
    assert pace.progress(None).remaining_s == 0.0
    assert Pace(0, 2).progress(None).remaining_s is None
