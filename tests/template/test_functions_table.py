"""functions/README.md has the trigger, the rights and the settings of each function, as the template has them."""

import re

from tests.template.functions_table import DOCUMENT, functions, placed


def test_the_document_has_what_the_template_has() -> None:
    written = DOCUMENT.read_text(encoding="utf-8")
    assert placed(written, functions()) == written, "run `python -m tests.template.functions_table`"


def test_every_function_has_a_section() -> None:
    folders = {path.name for path in DOCUMENT.parent.iterdir() if (path / f"{path.name}.py").exists()}
    assert set(re.findall(r"^### \[(\w+)\]", functions(), flags=re.MULTILINE)) == folders
