"""Repositories of the HuggingFace hub as sources."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from checkpoints import tiny_llama

import haagenti
from haagenti import IoError
from haagenti.sources import open_source

# What would reach the network is replaced: a download prints what it was asked for.
DOWNLOADS = """
import huggingface_hub
from types import SimpleNamespace
from haagenti.hf import hub

def download(repo_id, revision=None, ignore_patterns=None, local_files_only=False):
    if local_files_only:
        return {cached!r}
    print(repo_id, revision, ignore_patterns)
    return {downloaded!r}

def resolve_with(files, revision=None):
    info = SimpleNamespace(siblings=[SimpleNamespace(rfilename=file) for file in files])
    huggingface_hub.HfApi.model_info = lambda self, repo_id, revision=None, timeout=None: info
    print(hub.resolve("org/name", revision=revision))

huggingface_hub.snapshot_download = download
resolve_with(["model-00001-of-00003.safetensors", "pytorch_model.bin"], "v2")
resolve_with(["pytorch_model.bin", "model.gguf"])
"""


@pytest.mark.skipif(find_spec("huggingface_hub") is None, reason="huggingface_hub is not installed")
class TestHub:
    """org/name: the local cache, then a download."""

    def fill_cache(self, home: Path, model: Path, commit: str = "a" * 40) -> Path:
        """A snapshot as huggingface_hub keeps it: links to blobs."""
        repo = home / "hub" / "models--org--name"
        (repo / "refs").mkdir(parents=True)
        (repo / "refs" / "main").write_text(commit)
        snapshot = repo / "snapshots" / commit
        snapshot.mkdir(parents=True)
        (repo / "blobs").mkdir()
        for i, file in enumerate(sorted(model.iterdir())):
            (repo / "blobs" / str(i)).write_bytes(file.read_bytes())
            (snapshot / file.name).symlink_to(repo / "blobs" / str(i))
        return snapshot

    def run(self, home: Path, code: str, **env: str) -> str:
        """Runs code in a process of its own, since huggingface_hub reads its settings when it is imported."""
        variables = os.environ | {"HF_HOME": str(home), "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(Path(haagenti.__file__).parents[1])} | env
        done = subprocess.run([sys.executable, "-c", code], cwd=home, env=variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def test_offline(self, tmp_path: Path, sharded: Path) -> None:
        self.fill_cache(tmp_path / "home", sharded)
        code = """
import haagenti, sys
report = haagenti.convert("org/name", "out", preset="int8")
print(len(report.rows), report.source, "transformers" in sys.modules)
print(haagenti.verify("out", "org/name", revision="main").ok)
for name, revision in (("org/other", None), ("org/name", "v2")):
    try:
        haagenti.plan(name, revision=revision)
    except haagenti.IoError as error:
        print(error)
"""
        lines = self.run(tmp_path / "home", code).splitlines()
        assert lines[0].startswith(f"{len(tiny_llama())} org/name")
        assert lines[1] == "True"
        assert lines[2].startswith("org/other: not complete in the local cache")
        assert lines[3].startswith("org/name (revision v2): not complete in the local cache")
        assert all("HF_HUB_OFFLINE forbids a download" in line for line in lines[2:])
        assert "org/name" in (tmp_path / "home" / "out" / "README.md").read_text()

    def test_download_of_what_is_missing(self, tmp_path: Path, sharded: Path) -> None:
        snapshot = self.fill_cache(tmp_path / "home", sharded)
        (snapshot / "model-00002-of-00003.safetensors").unlink()  # an interrupted download
        code = DOWNLOADS.format(cached=str(snapshot), downloaded=str(sharded))
        first, path, second, _ = self.run(tmp_path / "home", code).splitlines()
        assert first.startswith("org/name v2 [")
        assert all(f"'{pattern}'" in first for pattern in ("*.bin", "*.gguf", "original/*"))
        assert path == str(sharded)
        assert "'*.bin'" not in second

    def test_cache_without_the_tokenizer_is_completed(self, tmp_path: Path, llama: Path) -> None:
        snapshot = self.fill_cache(tmp_path / "home", llama)
        code = DOWNLOADS.format(cached=str(snapshot), downloaded=str(llama))
        assert self.run(tmp_path / "home", code).splitlines()[1] == str(llama)

    def test_offline_cache_is_noted(self, tmp_path: Path, llama: Path) -> None:
        self.fill_cache(tmp_path / "home", llama)
        lines = self.run(tmp_path / "home", "import haagenti; print(haagenti.convert('org/name', 'out').notes)").splitlines()
        assert "org/name: the snapshot of the local cache is used as it is" in lines[-1]
        assert "HF_HUB_OFFLINE is set" in lines[-1]

    def test_unreachable(self, tmp_path: Path, llama: Path) -> None:
        self.fill_cache(tmp_path / "home", llama)
        code = """
import time, haagenti
from haagenti.hf import hub
started = time.monotonic()
try:
    hub.resolve("org/other")
except haagenti.IoError as error:
    print(error)
print(hub.locate("org/name")[1])
print(time.monotonic() - started < 15)
"""
        env = {"HF_HUB_OFFLINE": "0", "HF_ENDPOINT": "http://127.0.0.1:9", "NO_PROXY": "*"}
        error, notes, quick = self.run(tmp_path / "home", code, **env).splitlines()
        assert error.startswith("org/other: no such directory here, and the hub cannot be reached")
        assert "the hub cannot be reached" in notes
        assert quick == "True"

    def test_names(self) -> None:
        with pytest.raises(IoError, match="no such file or directory"):
            open_source("a/b/c")
