"""The notebooks run from start to end, show what they promise, and are stored without outputs."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


def outputs(notebook: nbformat.NotebookNode, mime_type: str) -> list[str]:
    """The outputs of one kind, in order."""
    found = [output.data for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs if "data" in output]
    return [data[mime_type] for data in found if mime_type in data]


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.name)
def test_notebooks_are_stored_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)


def test_convert_notebook_runs() -> None:
    notebook = nbformat.read(NOTEBOOKS / "convert.ipynb", as_version=4)
    client = NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(NOTEBOOKS)}})
    client.execute()
    tables = outputs(notebook, "text/html")
    assert any("int4(group_size=64)" in html for html in tables), "the report of the conversion, with the rule"
    assert any("KL divergence" in html for html in tables), "the report of the evaluation"
    assert len(outputs(notebook, "image/png")) == 1
    text = "".join(
        output.text for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs if output.output_type == "stream"
    )
    assert "Once upon a time" in text
    assert "are equal to the original bit by bit" in text
    assert "Warning" not in text
