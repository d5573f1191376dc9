"""Calls of tools share no stream of answers that is about to close."""

import threading
from dataclasses import dataclass, field
from types import SimpleNamespace

from httpx import ConnectError

from app.server import tools as tools_module
from app.server.tools import ToolClients, let_tools_in


@dataclass
class Recorder:
    """Stands for a client of Gradio."""

    stream_open: bool = False
    asked: list[str] = field(default_factory=list)

    def submit(self, *arguments: str, api_name: str) -> str:
        self.asked.append(f"{api_name} {' '.join(arguments)}")
        self.stream_open = True
        return self.asked[-1]


def test_each_question_goes_to_the_client_that_was_used_longest_ago_and_listens_to_none():
    first, second, third = clients = [Recorder(), Recorder(), Recorder()]
    tools = ToolClients(clients[:1])
    assert tools.submit("a", api_name="/explain_text") == "/explain_text a"
    tools.clients += clients[1:]
    tools.submit("b", api_name="/x")
    first.stream_open = False
    tools.submit("c", api_name="/x")
    tools.submit("d", api_name="/x")
    assert (len(first.asked), len(second.asked), len(third.asked)) == (2, 1, 1)
    assert first.asked[-1] == "/x d"


def test_with_every_stream_open_the_questions_take_turns():
    clients = [Recorder(stream_open=True), Recorder(stream_open=True)]
    tools = ToolClients(clients)
    for question in "abcd":
        tools.submit(question, api_name="/x")
    assert [client.asked for client in clients] == [["/x a", "/x c"], ["/x b", "/x d"]]


def test_a_server_that_closes_while_further_clients_join_is_no_error(monkeypatch):
    made, problems = [], []

    def client(*_, **__):
        made.append(len(made))
        if len(made) == 3:
            raise ConnectError("closed")
        return Recorder()

    monkeypatch.setattr(tools_module, "Client", client)
    monkeypatch.setattr(threading, "excepthook", problems.append)
    demo = SimpleNamespace(local_url="http://127.0.0.1:1", mcp_server_obj=SimpleNamespace())
    joining = let_tools_in(demo)
    joining.join(10)
    assert len(demo.mcp_server_obj._client_instance.clients) == 2
    assert (made, problems) == ([0, 1, 2], [])
