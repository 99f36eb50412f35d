"""A file that is uploaded at the moment that a run of the page begins."""

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

from pages.parts.kept_replies import keep_replies


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> ForwardMsgQueue:
    monkeypatch.setattr(ForwardMsgQueue, "clear", ForwardMsgQueue.clear)  # put back after the test
    keep_replies()
    queue = ForwardMsgQueue()
    for kind in ("delta", "file_urls_response"):
        message = ForwardMsg()
        getattr(message, kind).SetInParent()
        queue.enqueue(message)
    return queue


def kinds(queue: ForwardMsgQueue) -> list[str | None]:
    return [each.WhichOneof("type") for each in queue.flush()]


def test_the_address_for_a_file_outlives_the_beginning_of_a_run(queue: ForwardMsgQueue) -> None:
    queue.clear(retain_lifecycle_msgs=True)
    assert kinds(queue) == ["file_urls_response"]


def test_the_address_for_a_file_is_sent_once_where_a_fragment_runs(queue: ForwardMsgQueue) -> None:
    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=["a"])
    assert kinds(queue) == ["delta", "file_urls_response"]


def test_what_is_sent_is_sent_once(queue: ForwardMsgQueue) -> None:
    assert kinds(queue) == ["delta", "file_urls_response"]
    assert kinds(queue) == []
