"""The candidates of one character, best first.

One element of ours: ten of Streamlit's would all be drawn anew after each stroke, late and with a flicker.
"""

from collections.abc import Iterator
from typing import Any

import streamlit as st

from hanzi_core.language import gettext as _
from hanzi_core.language import ngettext
from hanzi_core.recognition import Answer, Candidate
from hanzi_core.recognition.reference import readings, stroke_count, stroke_order_svg
from hanzi_core.strokes.simplified import simplified
from pages.parts.in_order import IN_ORDER, in_order
from pages.parts.recognise_style import KAI
from pages.parts.recognise_writing import Write

_ANIMATION_PX = 132

_HTML = '<div class="all"><p role="status"></p><div class="candidates"></div></div>'

_CSS = f"""
* {{ box-sizing: border-box; }}
p {{ margin: 0 0 .4rem; min-height: 1.4em; font-size: .875rem; line-height: 1.4; color: var(--st-orange-text-color); }}
.candidates {{ display: grid; grid-template-columns: repeat(5, minmax(0, 1fr)); gap: .5rem; max-width: 30rem; }}
button {{
  min-height: 72px; padding: .3rem .1rem; cursor: pointer; overflow: hidden; text-align: center;
  color: var(--st-text-color); background: var(--st-background-color); font: .8rem/1.3 var(--st-font);
  border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius, .5rem);
}}
button:hover, button:focus-visible {{
  border-color: var(--st-primary-color); color: var(--st-primary-color); outline: none;
}}
button:active {{ background: var(--st-secondary-background-color); }}
b {{ display: block; font: 1.9rem/1.15 {KAI}; white-space: nowrap; }}
i {{ display: block; font-style: normal; white-space: nowrap; }}
.best {{ grid-column: span 2; grid-row: span 2; font-size: 1rem; border-width: 2px; }}
.best b {{ font-size: 4.6rem; }}
.unsure .best {{ border-style: dashed; }}
.unsure .best b {{ opacity: .6; }}
.order {{
  grid-column: span 3; grid-row: span 2; display: flex; align-items: center; justify-content: center; gap: .8rem;
  font-size: .875rem; line-height: 1.3; color: var(--st-text-color); white-space: pre-line;
}}
.order > div {{ line-height: 0; cursor: pointer; }}
button.long b {{
  display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden;
  font-size: .875rem; white-space: normal; line-height: 1.2; overflow-wrap: anywhere;
}}
button.best.long b {{ font-size: 1.5rem; -webkit-line-clamp: 3; }}
@media (max-width: 640px) {{
  .all {{ display: flex; flex-direction: column-reverse; }}
  p {{ margin: .4rem 0 0; }}
  .candidates {{ gap: .4rem; }}
  button {{ min-height: 60px; padding: .15rem .1rem; font-size: .75rem; }}
  b {{ font-size: 1.4rem; }}
  .best b {{ font-size: 3.6rem; }}
  .order {{ order: 1; grid-column: span 2; grid-row: auto; gap: .4rem; font-size: .75rem; }}
  .order svg {{ width: 64px; height: 64px; }}
}}
"""

# The stroke order goes on writing itself while the character stays the first; a click writes it again from the start.
_JS = (
    f"export default function ({{ data, parentElement, setTriggerValue }}) {{{IN_ORDER}"
    + """
  const box = parentElement.querySelector(".candidates");
  const place = (name, parent, text) => {
    const made = parent.appendChild(document.createElement(name));
    made.textContent = text;
    return made;
  };
  const offer = (candidate, number) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = number ? "choice" : "best";
    if ([...candidate.label].length > 2) button.classList.add("long");
    button.title = candidate.title;
    place("b", button, candidate.label);
    if (candidate.reading) place("i", button, candidate.reading);
    place("i", button, candidate.share);
    button.onclick = () => setTriggerValue("chosen", candidate.label);
    return button;
  };
  const order = () => {
    const kept = box.querySelector(".order");
    if (kept?.dataset.label === data.label) return kept;
    const made = document.createElement("div");
    made.className = "order";
    made.dataset.label = data.label;
    const drawing = made.appendChild(document.createElement("div"));
    drawing.innerHTML = data.svg;
    drawing.onclick = () => { drawing.innerHTML = data.svg; };
    place("span", made, data.strokes);
    return made;
  };
  parentElement.querySelector("p").textContent = data.doubt;
  box.classList.toggle("unsure", Boolean(data.doubt));
  const [best, ...others] = data.candidates.map(offer);
  box.replaceChildren(best, ...(data.svg ? [order()] : []), ...others);
}
"""
)

_element = st.components.v2.component("hanzi_candidates", html=_HTML, css=_CSS, js=_JS)


def show_candidates(answer: Answer, write: Write, key: str = "", doubt: str = "") -> None:
    """The first large, with its stroke order; the others after it. Choosing one calls ``write`` with its label.

    ``doubt`` is what is said where it is not sure, if more than that.
    """
    if not answer.candidates:
        st.info(_("No ink found: draw or upload one dark character on light paper, or the other way round."))
        return
    best, name = answer.candidates[0].label, f"{key}candidates"
    count = stroke_count(best)
    data = {
        "candidates": [_described(each) for each in answer.candidates],
        "label": best,
        "svg": stroke_order_svg(best, _ANIMATION_PX) or "",
        "strokes": "\n".join(_told(best, count)) if count else "",
        "doubt": "" if answer.is_sure else doubt or _("Not sure. It may be one of these, or none."),
    }
    _element(
        key=name,
        data=in_order(name, data),
        on_chosen_change=lambda: write(st.session_state[name].chosen),
    )


def _told(character: str, stroke_count: int) -> Iterator[str]:
    yield ngettext("{count} stroke", "{count} strokes", stroke_count).format(count=stroke_count)
    if (form := simplified(character)) != character:
        yield _("simplified: {form}").format(form=form)


def _described(candidate: Candidate) -> dict[str, Any]:
    said = readings(candidate.label)
    write = _("Write {label}").format(label=candidate.label)
    return {
        "label": candidate.label,
        "reading": said[0] if said else "",
        "share": f"{candidate.probability:.0%}" if candidate.probability >= 0.01 else "<1%",
        "title": f"{write} ({', '.join(said)})" if said else write,
    }
