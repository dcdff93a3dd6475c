"""The running deployment of the web side's tests serves here, too."""

from tests.app.conftest import house

__all__ = ["house"]
