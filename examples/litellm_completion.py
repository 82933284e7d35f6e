"""LiteLLM: one call, of whatever provider the model's name says."""

import litellm


def main() -> None:
    messages = [{"role": "user", "content": "What is the capital of France?"}]
    print(litellm.completion(model="openai/gpt-5-mini", messages=messages).choices[0].message.content)


if __name__ == "__main__":
    main()
