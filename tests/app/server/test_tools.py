"""Calls of tools share no stream of answers that is about to close."""

from dataclasses import dataclass, field

from app.server.tools import ToolClients


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
