"""How Gradio's tools for agents ask this server, which they do over HTTP as a program elsewhere would.

One client listens to one stream for all its questions, and closes it when none is left. A question that is
asked in that moment is answered to nobody, so each question goes to a client whose stream is closed.
"""

import contextlib
import threading
from collections.abc import Sequence
from typing import Any

from gradio_client import Client
from gradio_client.client import Job
from httpx import TransportError

from .login import OWN

CLIENTS = 4  # more than the encoder serves in the time that a stream takes to close


class ToolClients:
    """In the place of Gradio's one client for tools.

    Args:
        clients: the first may be joined by others later.
    """

    def __init__(self, clients: Sequence[Client]) -> None:
        self.clients = list(clients)
        self._next = 0

    def submit(self, *arguments: object, **named: Any) -> Job:
        """Ask, as :meth:`gradio_client.Client.submit` does, by the client that was used longest ago."""
        count = len(self.clients)
        order = [(self._next + step) % count for step in range(count)]
        chosen = next((index for index in order if not self.clients[index].stream_open), order[0])
        self._next = (chosen + 1) % count
        return self.clients[chosen].submit(*arguments, **named)


def let_tools_in(demo: Any) -> threading.Thread:
    """Give the tools clients that come in where a login is asked for; all but one in the background.

    The call of a tool itself carries the name and password that the agent gave. Returns the thread that makes
    the others.
    """

    def client() -> Client:
        return Client(
            demo.local_url,
            headers={"x-gradio-user": "mcp", "authorization": OWN},
            download_files=False,
            verbose=False,
            analytics_enabled=False,
            _skip_components=False,
        )

    def join() -> None:
        with contextlib.suppress(TransportError):  # the server is being closed: nobody asks any more
            for _ in range(CLIENTS - 1):
                tools.clients.append(client())

    tools = ToolClients([client()])
    demo.mcp_server_obj._client_instance = tools
    joining = threading.Thread(target=join, daemon=True)
    joining.start()
    return joining
