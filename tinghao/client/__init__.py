"""A client of a Tinghao server, for devices, integrations, replays and tests.

    async with Client("http://127.0.0.1:8000", token) as hall:
        ticket = await hall.take("puyang", "social")
        called = await hall.at_window("puyang", 3, "call-next")

    async for frame in follow("http://127.0.0.1:8000", "puyang", "lobby"):
        for call in frame.calls:        # each call exactly once, whatever happened meanwhile
            print(call["number"], "→", call["window"])

It needs nothing of the server's code; see docs/client.md.
"""

from tinghao.client.following import Frame, NoRight, follow
from tinghao.client.http import Answer, Client, Refused, Unreachable

__all__ = ["Answer", "Client", "Frame", "NoRight", "Refused", "Unreachable", "follow"]
