"""Small fleets of agents whose numbers can be computed by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from agent_traces import Sp, agent, chat, receive, settle_traces, tool

from agentvigil.storage.embedded import EmbeddedStore

MINUTE_MS: Final = 60_000


@dataclass(frozen=True)
class Played:
    """A run: an agent that calls a model once and each of ``tools``, of which those with an error fail."""

    name: str = "support"
    version: str = ""
    at_ms: int = 0
    lasts_ms: int = 1000
    model: str = "gpt-4o"
    tokens: tuple[int, int] | None = (100, 10)
    tools: Sequence[tuple[str, str | None]] = ()
    error: str | None = None
    user: str = ""
    session: str = ""
    environment: str = ""
    project: str = "default"

    def spans(self, trace: int) -> list[Sp]:
        begin, end = self.at_ms, self.at_ms + self.lasts_ms
        said = {
            "gen_ai.agent.version": self.version,
            "user.id": self.user,
            "gen_ai.conversation.id": self.session,
        }
        where = {"deployment.environment.name": self.environment} if self.environment else {}
        more = {"trace": trace, "project": self.project, "resource": where}
        said = {key: value for key, value in said.items() if value}
        return [
            agent(1, 0, self.name, begin, end, error=self.error, attributes=said, **more),
            chat(2, 1, begin, begin + 1, model=self.model, tokens=self.tokens, **more),
            *(
                tool(number, 1, name, begin + number, begin + number + 1, error=error, **more)
                for number, (name, error) in enumerate(self.tools, start=3)
            ),
        ]


def play(store: EmbeddedStore, *runs: Played) -> None:
    """Store and settle ``runs``, the traces of which are numbered from 1."""
    numbered = list(enumerate(runs, start=1))
    receive(store, *(span for trace, run in numbered for span in run.spans(trace)))
    settle_traces(store, {(run.project, trace): True for trace, run in numbered})
