"""A page that is left while a word of it is on its way to the server, which Streamlit leaves blank.

Streamlit runs what a fragment asks for after the next page and takes that for a return to the page before: the browser
clears the new page, and the run after that finds no place in it.

And one that is left by Back, which Streamlit makes stop at each parameter of the address; and one that is come back to
with the parameters of the next, which Streamlit writes now and then before it writes the next page.
"""

import streamlit as st

# A slider or a stroke is told of up to 0.2 s after the hand is off it, so a link waits until that is through. What is
# late all the same, as a file that was read meanwhile, costs a reload, and once only: it might fail on each.
_JS = """
const SETTLED_MS = 400, ONCE_MS = 10_000;
let pressedAt = -SETTLED_MS, leftFrom = "";

// Not the element's: all elements are gone when this is needed.
window.addEventListener("error", (event) => {
  if (!/delta path/.test(event.message)) return;
  const before = Number(sessionStorage.getItem("hanzi-blank-at"));
  sessionStorage.setItem("hanzi-blank-at", Date.now());
  if (Date.now() - before > ONCE_MS) location.reload();
});

// What a page writes into its own address is no step of its own, or Back had to be pressed three times on Training.
const push = history.pushState.bind(history);
// And what the next page writes before the address is its own does not belong to the page that is left.
history.pushState = (state, unused, url) => {
  if (new URL(url ?? "", location.href).pathname === location.pathname) return history.replaceState(state, unused, url);
  if (leftFrom.split("?")[0] === location.origin + location.pathname) history.replaceState(history.state, "", leftFrom);
  leftFrom = "";
  return push(state, unused, url);
};
const onLeave = () => { leftFrom = location.href; };
window.addEventListener("popstate", onLeave);

export default function () {
  const onPointerUp = (event) => {
    if (!event.target.closest?.("a[href]")) pressedAt = event.timeStamp;
  };
  const onClick = (event) => {
    onLeave();
    const link = event.target.closest?.("a[href]");
    const rest = pressedAt + SETTLED_MS - event.timeStamp;
    if (!link || rest <= 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    setTimeout(() => link.click(), rest);
  };
  document.addEventListener("pointerup", onPointerUp, { capture: true });
  document.addEventListener("click", onClick, { capture: true });
  return () => {
    document.removeEventListener("pointerup", onPointerUp, { capture: true });
    document.removeEventListener("click", onClick, { capture: true });
  };
}
"""

_element = st.components.v2.component("hanzi_page_change", html="<i></i>", js=_JS)


def guard_page_change() -> None:
    """Let a link wait for what was pressed just before, and load a page anew that was left blank all the same."""
    _element(key="page-change", width="content", height="content")
