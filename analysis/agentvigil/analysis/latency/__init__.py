"""Where the time of an agent's runs goes, and what of it grew between two times."""

from agentvigil.analysis.latency.contributors import Contributor, Doing, PathSum, WindowSums, contributors, with_agent
from agentvigil.analysis.latency.sampling import sampled_hours

__all__ = ["Contributor", "Doing", "PathSum", "WindowSums", "contributors", "sampled_hours", "with_agent"]
