"""docs/instrumentations/frameworks.md is what the instrumentors say of themselves."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_says_what_the_docstrings_say() -> None:
    """Run ``python tools/instrumentations/generate_docs.py`` after a change of them."""
    spec = importlib.util.spec_from_file_location(
        "generate_framework_docs", ROOT / "tools" / "instrumentations" / "generate_docs.py"
    )
    assert spec is not None
    assert spec.loader is not None
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)

    assert generator.document() == generator.DOCUMENT.read_text(encoding="utf-8")
    for examples in generator._EXAMPLES.values():
        assert all((ROOT / "examples" / f"{name}.py").exists() for name in examples)
