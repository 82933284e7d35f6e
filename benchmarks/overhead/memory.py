"""Whether memory grows: 100,000 calls of OpenAI's SDK in one process, a tenth of them streams that are given up.

    build/overhead/bin/python benchmarks/overhead/memory.py [CALLS]

Run it in the environment that ``run.py`` makes. Prints the resident size after each tenth.
"""

import gc
import sys
from pathlib import Path

import program

MESSAGES = program.MESSAGES


def resident_mib() -> float:
    """Return the process' resident size, as Linux tells it."""
    fields = Path("/proc/self/statm").read_text(encoding="ascii").split()
    return int(fields[1]) * 4096 / 2**20


def main(calls: int) -> None:
    """Make the calls."""
    program.instrument("agentvigil with metrics")
    client = program.answered_here()
    print("| calls | resident MiB |\n|---:|---:|")
    for number in range(1, calls + 1):
        if number % 10:
            program.chat(client)
        else:
            stream = client.chat.completions.create(model="gpt-5-mini", messages=MESSAGES, stream=True)
            next(iter(stream))
        if number % (calls // 10) == 0:
            gc.collect()
            print(f"| {number:,} | {resident_mib():.1f} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
