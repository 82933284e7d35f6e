"""What instrumentors and the front door emit telemetry with: operations of the GenAI conventions, safely.

Theory of operation:

1. An *operation* is one span with its metrics and events: a call of a model, a tool, an agent (`operation`).
2. Nothing here raises into the application, whatever it is given; what goes wrong is logged once (`guard`).
3. An operation is current only while its own code runs, inside ``with operation.running()``. A context that cannot be
   restored, because a framework went on in another task, is left alone without a word (`current`).
4. One call of a model is one span. Who is called inside another's call, ours or a foreign one, adds what it knows to
   that span instead of making one (`nesting`).
5. Names and versions of the agent, the conversation and the user go down to all spans inside a run (`identity`).
6. Content is looked at only where the standard variable asks for it (`content`).
"""

from agentvigil.instrumentations.telemetry.operation import AgentInvocation, Inference, Operation
from agentvigil.instrumentations.telemetry.telemetry import Telemetry

__all__ = ["AgentInvocation", "Inference", "Operation", "Telemetry"]
