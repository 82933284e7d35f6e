"""What each agent of the fleet does in one run, and how it goes wrong.

The characters differ on purpose, so that a reader of the data has something to find: version 1.4 of the support agent
has a longer prompt and a refunds tool that times out four times as often as in 1.3.
"""

from collections.abc import Callable, Mapping
from typing import Final

from agentvigil.cli.fleet.agents import (
    ANALYST,
    CLAUDE_HAIKU,
    CLAUDE_SONNET,
    CODING,
    EMBEDDING_SMALL,
    GEMINI_FLASH,
    GPT_4_1,
    GPT_4_1_MINI,
    MISTRAL_SMALL,
    NOVA_PRO,
    O4_MINI,
    RESEARCH,
    SUPPORT,
    TRIAGE,
    Model,
)
from agentvigil.cli.fleet.plan import Plan, StepFailed


def support(plan: Plan) -> None:
    """Looks an order up and may refund it; the refunds service is slow and is asked up to three times."""
    newer = plan.deployment.version == "1.4"
    order = f"SYNTHETIC-{plan.rng.randint(10_000, 99_999)}"
    with plan.agent(SUPPORT, f"Invented question: where is order {order}?", prompt_tokens=2_300 if newer else 1_500):
        plan.chat(GPT_4_1_MINI, output_tokens=45, calls=["lookup_order"])
        plan.tool("lookup_order", median_s=0.18, arguments={"order": order}, result_tokens=260, failing=0.01)
        if plan.happens(0.55):
            plan.chat(GPT_4_1_MINI, output_tokens=60, calls=["issue_refund"])
            plan.tool(
                "issue_refund",
                median_s=1.1,
                arguments={"order": order, "amount": "12.50"},
                timing_out=0.32 if newer else 0.08,
                timeout_s=8,
                attempts=3,
            )
        plan.chat(GPT_4_1_MINI, output_tokens=210 if newer else 160, stream=True)


def research(plan: Plan) -> None:
    """Searches, reads what it found side by side with a small model, and writes with a large one."""
    with plan.agent(RESEARCH, "Invented question: what do synthetic otters eat?", prompt_tokens=900):
        plan.chat(O4_MINI, output_tokens=120, calls=["search"])
        found = 0
        for _ in range(plan.rng.randint(1, 3)):
            plan.embed(EMBEDDING_SMALL, 24)
            found += plan.retrieve("papers", top_k=8, empty=0.18)
        if found == 0:
            # Nothing to read: it answers all the same, which is worth noticing.
            plan.chat(CLAUDE_SONNET, output_tokens=220, stream=True)
            return
        documents = min(found, 5)
        plan.together([lambda: plan.chat(GEMINI_FLASH, output_tokens=180, limited=0.03)] * documents)
        for _ in range(found):
            plan.read(9_000)
        try:
            plan.chat(GPT_4_1, output_tokens=700, stream=True, limit_tokens=128_000)
        except StepFailed as failure:
            if failure.retryable:
                raise
            plan.shorten(60_000)
            plan.chat(GPT_4_1, output_tokens=700, stream=True)
        if plan.happens(0.5):
            plan.chat(CLAUDE_SONNET, output_tokens=420)


def coding(plan: Plan) -> None:
    """Many turns over a growing context, mostly cached; its tests fail often, and that is how it learns."""
    with plan.agent(CODING, "Invented task: rename a synthetic function", prompt_tokens=7_500):
        plan.chat(CLAUDE_SONNET, output_tokens=260, calls=["search_code"])
        plan.tool("search_code", median_s=0.25, arguments={"pattern": "synthetic"}, result_tokens=1_400)
        for _ in range(plan.rng.randint(2, 7)):
            plan.chat(CLAUDE_SONNET, output_tokens=120, calls=["read_file"], limited=0.03)
            plan.tool("read_file", median_s=0.02, arguments={"path": "invented.py"}, result_tokens=1_800)
            plan.chat(CLAUDE_SONNET, output_tokens=420, calls=["edit_file"], limited=0.03)
            try:
                plan.tool("edit_file", median_s=0.03, arguments={"path": "invented.py"}, failing=0.06)
                plan.chat(CLAUDE_SONNET, output_tokens=60, calls=["run_tests"], limited=0.03)
                plan.tool(
                    "run_tests",
                    median_s=4.5,
                    arguments={},
                    result_tokens=700,
                    failing=0.35,
                    error="2 of 41 synthetic tests failed",
                    timing_out=0.02,
                    timeout_s=60,
                )
            except StepFailed as failure:
                if failure.error_type not in ("tool_error", "timeout"):
                    raise
                plan.read(900)
            else:
                if plan.happens(0.5):
                    break
        plan.chat(CLAUDE_HAIKU, output_tokens=180)


def analyst(plan: Plan) -> None:
    """Writes SQL, reads the database's complaint, writes it again, and gives up after the third."""
    with plan.agent(ANALYST, "Invented question: how many synthetic orders last week?", prompt_tokens=3_200):
        plan.chat(NOVA_PRO, output_tokens=40, calls=["describe_tables"])
        plan.tool("describe_tables", median_s=0.06, arguments={}, result_tokens=1_100, tool_type="datastore")

        def ask() -> None:
            plan.chat(NOVA_PRO, output_tokens=190, calls=["run_sql"], limited=0.04)
            plan.tool(
                "run_sql",
                median_s=0.9,
                arguments={"sql": "SELECT count() FROM synthetic_orders"},
                result_tokens=500,
                failing=0.24,
                error_type="syntax_error",
                error="the query names a column that does not exist",
                timing_out=0.02,
                timeout_s=30,
                tool_type="datastore",
            )

        plan.retrying(ask, backoff_s=0.01)
        plan.chat(NOVA_PRO, output_tokens=260)


def triage(plan: Plan) -> None:
    """A workflow of three agents: one sorts, two look at the ticket side by side, and one answers."""
    ticket = "Invented ticket: the synthetic printer is on synthetic fire"

    def look(name: str, model: Model, tool: str, failing: float) -> None:
        with plan.agent(name, ticket, prompt_tokens=1_700):
            plan.chat(model, output_tokens=70, calls=[tool])
            plan.tool(tool, median_s=0.7, arguments={"ticket": "synthetic"}, failing=failing, result_tokens=420)
            plan.chat(model, output_tokens=150)

    with plan.workflow("ticket-triage"):
        with plan.agent("classifier", ticket, prompt_tokens=600):
            plan.chat(MISTRAL_SMALL, output_tokens=18)
        plan.together(
            [
                lambda: look("log-reader", GEMINI_FLASH, "query_logs", 0.05),
                lambda: look("history-reader", MISTRAL_SMALL, "search_tickets", 0.02),
            ]
        )
        with plan.agent("resolver", ticket, prompt_tokens=2_600):
            plan.chat(CLAUDE_HAIKU, output_tokens=320)


SCENES: Final[Mapping[str, Callable[[Plan], None]]] = {
    SUPPORT: support,
    RESEARCH: research,
    CODING: coding,
    ANALYST: analyst,
    TRIAGE: triage,
}
"""Service name → its scene."""
