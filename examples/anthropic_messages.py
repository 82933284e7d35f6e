"""Anthropic's SDK: a tool is called in a loop that the program writes itself."""

from anthropic import Anthropic

TOOLS = [
    {
        "name": "get_weather",
        "description": "Tell the weather in a city.",
        "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    }
]


def get_weather(city: str) -> str:
    return f"It is sunny in {city}, at 24 degrees."


def main() -> None:
    client = Anthropic()
    messages = [{"role": "user", "content": "What is the weather in Paris?"}]
    for _ in range(5):
        answer = client.messages.create(model="claude-sonnet-5", max_tokens=500, messages=messages, tools=TOOLS)
        messages.append({"role": "assistant", "content": answer.content})
        if answer.stop_reason != "tool_use":
            print(answer.content[-1].text)
            return
        results = [
            {"type": "tool_result", "tool_use_id": block.id, "content": get_weather(**block.input)}
            for block in answer.content
            if block.type == "tool_use"
        ]
        messages.append({"role": "user", "content": results})


if __name__ == "__main__":
    main()
