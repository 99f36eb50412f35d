"""The picture of the dashboard in a browser's tab: 文, as a seal shows it.

Within its own address: an icon of Streamlit's set would be fetched from a host of Google's, which a closed network does
not reach, nor much of China.
"""

from urllib.parse import quote

_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="6" fill="#b23a2e"/>'
    '<g fill="none" stroke="#fff" stroke-width="2.8" stroke-linecap="round" stroke-linejoin="round">'
    '<path d="M14.2 5.2l2.6 3.4"/><path d="M6 11.4h20"/><path d="M21.4 11.6C19.6 18 14 24 6.4 26.4"/>'
    '<path d="M10.6 11.6C12.6 18 18.4 24 26 26.4"/></g></svg>'
)

ICON = "data:image/svg+xml," + quote(_SVG)
