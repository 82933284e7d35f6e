"""Google's GenAI SDK, which calls the tool by itself."""

import os

from google import genai
from google.genai import types


def get_weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"It is sunny in {city}, at 24 degrees."


def main() -> None:
    options = types.HttpOptions(base_url=os.environ.get("GOOGLE_GEMINI_BASE_URL"))
    client = genai.Client(http_options=options)
    config = types.GenerateContentConfig(tools=[get_weather])
    print(client.models.generate_content(model="gemini-2.5-flash", contents="Weather in Paris?", config=config).text)


if __name__ == "__main__":
    main()
