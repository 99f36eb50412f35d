#!/bin/sh
# The browser tests drive a real Chromium. Debian's package is installed where that is possible, else this says what to do.
# Its headless shell, where there is one, needs half the processor of the whole browser.
# A Chinese font goes along: without one the characters on the screenshots are boxes.
for name in chromium-headless-shell chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null 2>&1; then exit 0; fi
done
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    echo "Installing Chromium for the browser tests (Debian's package) ..."
    apt-get update -qq >/dev/null 2>&1
    for name in chromium-headless-shell chromium; do
        if DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$name" fonts-noto-cjk >/dev/null 2>&1; then exit 0; fi
    done
fi
echo "The browser tests need Chromium. Install it, then run make test again:"
echo "  Debian, Ubuntu:  sudo apt-get install chromium"
echo "  Fedora:          sudo dnf install chromium"
echo "  macOS:           brew install --cask chromium"
exit 1
