"""OpenAI's SDK: a tool is called in a loop that the program writes itself."""

import json

from openai import OpenAI

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Tell the weather in a city.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]


def get_weather(city: str) -> str:
    return f"It is sunny in {city}, at 24 degrees."


def main() -> None:
    client = OpenAI()
    messages = [{"role": "user", "content": "What is the weather in Paris?"}]
    for _ in range(5):
        answer = client.chat.completions.create(model="gpt-5-mini", messages=messages, tools=TOOLS).choices[0].message
        messages.append(answer)
        if not answer.tool_calls:
            print(answer.content)
            return
        for call in answer.tool_calls:
            result = get_weather(**json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})


if __name__ == "__main__":
    main()
