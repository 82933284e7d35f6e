"""OpenLIT on OpenAI's SDK, with the exporter that it sets up itself."""

import openlit
from calls import openai_sdk
from driving import CAPTURE, run
from opentelemetry import trace

openlit.init(
    application_name="goldens",
    environment="test",
    otlp_endpoint=CAPTURE,
    disable_metrics=True,
    capture_message_content=True,
)
run(*openai_sdk.ALL)
trace.get_tracer_provider().force_flush()
