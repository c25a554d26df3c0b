"""The layers of the project, read from its includes and imports: a layer may use only itself and the ones named for it here.

Not responsible for: what the code does.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CPP_ROOTS = ("cpp/include/haagenti", "cpp/src")
PACKAGE = ROOT / "python" / "haagenti"

# --- C++ -----------------------------------------------------------------------------------------------------------------------------

STAGES = {"bytecodec", "transform", "quantize", "entropy"}
# Folder -> folders whose headers it may include. No stage knows another; cuda knows hd and base alone.
CPP_LAYERS: dict[str, set[str]] = {
    "hd": {"hd"},
    "base": {"hd", "base"},
    **{stage: {"hd", "base", stage} for stage in sorted(STAGES)},
    "encoding": {"hd", "base", *STAGES, "encoding"},
    "container": {"hd", "base", *STAGES, "encoding", "container"},
    "kernels": {"hd", "base", *STAGES, "encoding", "kernels"},
    "cuda": {"hd", "base", "cuda"},
    "bindings": {"hd", "base", *STAGES, "encoding", "container", "kernels", "bindings"},
}
# Header of another project -> folders that may include it.
CPP_FOREIGN: dict[str, set[str]] = {
    r"(zstd|zdict|lz4|brotli|zlib|libdeflate|isa-l).*": {"bytecodec"},
    r"xx(hash|h3|h_).*": {"base"},
    r"hwy/.*": {"base", *STAGES, "encoding", "kernels"},
    r"(pybind11/.*|Python\.h|numpy/.*)": {"bindings"},
    r"(cuda|cub/|cooperative_groups|mma\.h|nv).*": {"cuda"},
    r"(eigen3/)?(unsupported/)?Eigen/.*": {"transform"},
    r"(torch|ATen|c10)/.*": set(),
}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
HIGHWAY_SELF = re.compile(r'^\s*#\s*define\s+HWY_TARGET_INCLUDE\s+"([^"]+)"', re.MULTILINE)
CPP_SUFFIXES = {".h", ".hpp", ".cpp", ".def", ".inc", ".cu", ".cuh"}


def cpp_files() -> list[tuple[str, Path]]:
    """Every C++ source with its layer."""
    found = []
    for root in CPP_ROOTS:
        for path in sorted((ROOT / root).rglob("*")):
            if path.suffix in CPP_SUFFIXES:
                parts = path.relative_to(ROOT / root).parts
                found.append((parts[0] if len(parts) > 1 else "(top)", path))
    for layer, folder in (("cuda", "cuda"), ("bindings", "python/bindings")):
        found += [(layer, path) for path in sorted((ROOT / folder).rglob("*")) if path.suffix in CPP_SUFFIXES]
    return found


def included_layer(path: Path, quoted: str) -> str | None:
    """Layer of a quoted include: by its path from an include root, else by the file beside the including one. None for a generated file."""
    name = quoted.removeprefix("haagenti/")
    if "/" in name:
        return name.split("/")[0]
    if (path.parent / name).exists():
        return next(layer for layer, file in cpp_files() if file == path.parent / name)
    return None


def cpp_violations(layer: str, path: Path) -> Iterator[str]:
    """What a file includes although its layer may not."""
    where = path.relative_to(ROOT)
    if layer not in CPP_LAYERS:
        yield f"{where}: folder {layer!r} is not in the table of layers"
        return
    text = path.read_text(encoding="utf-8")
    for bracket, name in INCLUDE.findall(text):
        foreign = next((allowed for pattern, allowed in CPP_FOREIGN.items() if re.fullmatch(pattern, name)), None)
        if foreign is not None:
            if layer not in foreign:
                yield f"{where}: {layer} may not include <{name}>"
        elif bracket == '"' or name.startswith("haagenti/"):
            target = included_layer(path, name)
            if target is not None and target not in CPP_LAYERS[layer]:
                yield f"{where}: {layer} may not include {target} ({name})"
    for name in HIGHWAY_SELF.findall(text):
        if not any((ROOT / root / name).resolve() == path for root in CPP_ROOTS):
            yield f"{where}: HWY_TARGET_INCLUDE names {name}, not the file itself"


def test_cpp_layers() -> None:
    files = cpp_files()
    assert any(layer == "hd" for layer, _ in files), "no C++ sources found"
    problems = [problem for layer, path in files for problem in cpp_violations(layer, path)]
    assert not problems, "\n".join(problems)


LITERAL_BITS = re.compile(r"(?<![<>])(<<|>>)(?![<>])=?\s*\d|(?<!&)&(?!&)=?\s*(0[xX][0-9a-fA-F]+|\d+)")


def test_kernels_leave_bits_to_hd() -> None:
    """In cuda/ and kernels/ no shift or mask by a literal: hd/ does that. A fast path that restates it says `Restates hd::name`."""
    problems = []
    for layer, path in cpp_files():
        text = path.read_text(encoding="utf-8")
        if layer in {"cuda", "kernels"} and "Restates hd::" not in text:
            lines = enumerate(text.splitlines(), 1)
            problems += [f"{path.relative_to(ROOT)}:{n}: {line.strip()}" for n, line in lines if LITERAL_BITS.search(line.split("//")[0])]
    assert not problems, "\n".join(problems)


# --- Python --------------------------------------------------------------------------------------------------------------------------

RUNTIME = {"numpy", "ml_dtypes", "msgspec"}
# Layer -> (other projects it may import, layers of haagenti it may import). "package" is the rest of python/haagenti.
PY_LAYERS: dict[str, tuple[set[str], set[str]]] = {
    "package": (RUNTIME, {"package"}),
    "fsspec": ({"fsspec"}, {"package", "fsspec"}),
    "numcodecs": (RUNTIME | {"numcodecs"}, {"package", "numcodecs"}),
    "zarr": (RUNTIME | {"zarr"}, {"package", "zarr"}),
    "torch": (RUNTIME | {"torch"}, {"package", "torch"}),
    "hf": (RUNTIME | {"torch", "transformers", "huggingface_hub", "tokenizers"}, {"package", "torch", "hf"}),
    "cli": (RUNTIME | {"typer", "rich", "click", "tqdm", "matplotlib"}, {"package", "torch", "hf", "cli"}),
}
# The files of the package that may name a module of a higher layer as text, to import it when first used.
PY_LAZY_TABLES = {"__init__.py", "array_input.py", "files/opened_file.py", "sources/table.py"}
HIGHER = re.compile(r"haagenti\.(torch|hf|cli|fsspec|numcodecs|zarr)([.:].*)?")


def py_layer(module: str) -> str:
    """Layer of a dotted module name of haagenti."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in PY_LAYERS else "package"


def module_name(path: Path) -> str:
    """Dotted name of a file of the package."""
    return ".".join(("haagenti", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")


class Imports(ast.NodeVisitor):
    """Collects (module, line) of every import that runs, also inside functions; the ones under TYPE_CHECKING do not run."""

    def __init__(self) -> None:
        self.found: list[tuple[str, int]] = []

    def visit_Import(self, node: ast.Import) -> None:
        self.found += [(alias.name, node.lineno) for alias in node.names]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.module == "haagenti":
            self.found += [(f"haagenti.{alias.name}", node.lineno) for alias in node.names]
        elif node.module is not None:
            self.found.append((node.module, node.lineno))

    def visit_If(self, node: ast.If) -> None:
        if "TYPE_CHECKING" in ast.unparse(node.test):
            for branch in node.orelse:
                self.visit(branch)
        else:
            self.generic_visit(node)


def named_modules(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Text that names a module of a higher layer, docstrings excepted."""
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings and HIGHER.fullmatch(node.value):
            yield node.value, node.lineno


def py_violations(path: Path) -> Iterator[str]:
    """What a file imports although its layer may not."""
    where, layer = path.relative_to(PACKAGE).as_posix(), py_layer(module_name(path))
    foreign, own = PY_LAYERS[layer]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imports = Imports()
    imports.visit(tree)
    for module, line in imports.found:
        top = module.split(".")[0]
        allowed = py_layer(module) in own if top == "haagenti" else top in sys.stdlib_module_names or top in foreign
        if not allowed:
            yield f"{where}:{line}: {layer} may not import {module}"
    if layer == "package" and where not in PY_LAZY_TABLES:
        yield from (f"{where}:{line}: only {sorted(PY_LAZY_TABLES)} may name {name!r}" for name, line in named_modules(tree))


def test_python_layers() -> None:
    files = sorted(PACKAGE.rglob("*.py"))
    assert files, "no Python sources found"
    problems = [problem for path in files for problem in py_violations(path)]
    assert not problems, "\n".join(problems)


# A fresh interpreter imports the module; none of the others may be loaded then.
LEFT_ALONE = {
    "haagenti": ("torch", "transformers", "huggingface_hub", "typer", "rich", "matplotlib", "tqdm", "fsspec", "numcodecs", "zarr"),
    "haagenti.numpy": ("torch", "transformers", "huggingface_hub", "typer", "rich", "matplotlib", "tqdm"),
    "haagenti.torch": ("transformers", "huggingface_hub", "typer", "rich", "matplotlib"),
    "haagenti.cli.app": ("torch", "transformers", "huggingface_hub", "matplotlib", "tqdm", "fsspec", "numcodecs", "zarr"),
}


@pytest.mark.parametrize("module", LEFT_ALONE)
def test_import_leaves_extras_alone(module: str) -> None:
    code = f"import sys, {module}; print(*(name for name in {LEFT_ALONE[module]!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [], f"import {module} also imports them"
