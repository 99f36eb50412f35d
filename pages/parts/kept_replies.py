"""Replies of the server to the browser, which Streamlit drops if a run of the page begins before they are sent.

A browser asks where it may send a file and waits for the reply for ever: the file was gone without a word. Streamlit
1.67 empties the queue of a session at the start of each run, and keeps the messages that belong to no run by a list
(``ForwardMsgQueue.clear``) that lacks the replies.
"""

from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

_REPLIES = {"file_urls_response", "backend_operation_response"}
_clear = ForwardMsgQueue.clear


def _clear_but_replies(
    queue: ForwardMsgQueue, retain_lifecycle_msgs: bool = False, fragment_ids_this_run: list[str] | None = None
) -> None:
    replies = [each for each in queue._queue if each.WhichOneof("type") in _REPLIES]
    _clear(queue, retain_lifecycle_msgs, fragment_ids_this_run)
    if retain_lifecycle_msgs:
        # A run of a fragment keeps them already.
        queue._queue += [each for each in replies if each not in queue._queue]


def keep_replies() -> None:
    """Let a file that is uploaded while a run begins arrive; once in a process is enough."""
    ForwardMsgQueue.clear = _clear_but_replies  # type: ignore[method-assign, assignment]
