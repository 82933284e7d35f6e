"""Customer support, marked by hand: three attempts at a refund that times out, and a failure that is recorded."""

import json

from openai import OpenAI

from agentvigil import agent

agent.init("support-desk")  # changes nothing under opentelemetry-instrument


@agent.tool
def find_order(number: str) -> str:
    """Look an order up."""
    return json.dumps({"number": number, "state": "delivered", "paid": 40})


@agent.tool
def refund(number: str) -> str:
    """Pay an order back."""
    raise TimeoutError(f"no answer from the bank about {number}")


def refund_patiently(number: str) -> str:
    for _ in range(3):
        try:
            return refund(number)
        except TimeoutError:
            continue  # the next call is the next attempt
    agent.record_failure("tool", "timeout", "no answer from the bank")
    return "The bank does not answer."


TOOLS = {"find_order": find_order, "refund": refund_patiently}
NUMBER = {"type": "object", "properties": {"number": {"type": "string"}}, "required": ["number"]}
OFFERED = [{"type": "function", "function": {"name": name, "parameters": NUMBER}} for name in TOOLS]


@agent.run("support-desk", version="1.0")
def answer(question: str) -> str:
    client = OpenAI()
    messages = [{"role": "user", "content": question}]
    while True:
        said = client.chat.completions.create(model="gpt-5-mini", messages=messages, tools=OFFERED).choices[0].message
        messages.append(said)
        if not said.tool_calls:
            return said.content or ""
        for call in said.tool_calls:
            result = TOOLS[call.function.name](**json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})


if __name__ == "__main__":
    with agent.session("example-ticket", user="example-customer"):
        print(answer("My order A-1 came broken. I want my money back."))
