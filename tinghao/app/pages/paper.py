"""The QR code of a ticket."""

from __future__ import annotations

import segno


def qr_svg(address: str) -> str:
    """An SVG of the address as a QR code, to stand inline in a page; it scales with its box."""
    return segno.make(address, error="m").svg_inline(omitsize=True, border=2)
