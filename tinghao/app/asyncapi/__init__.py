"""The manual of the sockets: an AsyncAPI description for machines, and a page to read."""

from __future__ import annotations

from tinghao.app.asyncapi.routes import description, manual

__all__ = ["description", "manual"]
