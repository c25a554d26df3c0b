"""The compressions that haagenti.fsspec adds to fsspec, through its own ways of opening files."""

from __future__ import annotations

import pytest
from codec_cases import STREAMING, TABLE, run_python, sample

import haagenti

fsspec = pytest.importorskip("fsspec")

import haagenti.fsspec  # noqa: E402

DATA = sample("text", 200_000)


def test_names() -> None:
    names = [name for name in fsspec.available_compressions() if name is not None and name.startswith("haagenti.")]
    assert names == [f"haagenti.{name}" for name in STREAMING]
    assert haagenti.fsspec.register() == []


@pytest.mark.parametrize("name", STREAMING)
def test_write_and_read(name: str, tmp_path) -> None:
    path = tmp_path / "weights"
    with fsspec.open(path, "wb", compression=f"haagenti.{name}") as file:
        for start in range(0, len(DATA), 9999):
            file.write(DATA[start : start + 9999])
    assert haagenti.decompress(path.read_bytes(), name) == DATA
    with fsspec.open(path, "rb", compression=f"haagenti.{name}") as file:
        assert file.read(10) == DATA[:10]
        assert file.read() == DATA[10:]


@pytest.mark.parametrize("name", STREAMING)
def test_through_a_file_system(name: str) -> None:
    memory = fsspec.filesystem("memory")
    with memory.open("/weights", "wb", compression=f"haagenti.{name}") as file:
        file.write(DATA)
    assert haagenti.decompress(memory.cat("/weights"), name) == DATA
    with memory.open("/weights", "rb", compression=f"haagenti.{name}") as file:
        assert file.read() == DATA


@pytest.mark.parametrize("name", STREAMING)
def test_local_file_system_closes_the_file(name: str, tmp_path) -> None:
    local = fsspec.filesystem("file")
    with local.open(tmp_path / "weights", "wb", compression=f"haagenti.{name}") as file:
        file.write(DATA)
    assert haagenti.decompress((tmp_path / "weights").read_bytes(), name) == DATA


@pytest.mark.parametrize("name", STREAMING)
def test_text(name: str, tmp_path) -> None:
    lines = [f"layer {n}: größe\n" for n in range(1000)]
    with fsspec.open(tmp_path / "text", "wt", compression=f"haagenti.{name}", encoding="utf-8") as file:
        file.writelines(lines)
    with fsspec.open(tmp_path / "text", "rt", compression=f"haagenti.{name}", encoding="utf-8") as file:
        assert list(file) == lines
    with fsspec.open(tmp_path / "text", "r", compression=f"haagenti.{name}", encoding="utf-8") as file:
        assert file.readline() == lines[0]


def test_seeking_in_what_is_read(tmp_path) -> None:
    (tmp_path / "weights").write_bytes(haagenti.compress(DATA))
    with fsspec.open(tmp_path / "weights", "rb", compression="haagenti.zstd") as file:
        file.seek(100_000)
        assert file.read(5) == DATA[100_000:100_005]
        file.seek(7)
        assert file.read(5) == DATA[7:12]


def test_damage_is_an_error(tmp_path) -> None:
    (tmp_path / "weights").write_bytes(haagenti.compress(DATA)[:-10])
    with fsspec.open(tmp_path / "weights", "rb", compression="haagenti.zstd") as file, pytest.raises(haagenti.TruncatedError):
        file.read()


def test_fsspecs_own_names_stay() -> None:
    """In a fresh process: names and suffixes that fsspec knows are the same before and after."""
    output = run_python(
        """
import fsspec.compression, fsspec.utils
names, suffixes = dict(fsspec.compression.compr), dict(fsspec.utils.compressions)
import haagenti.fsspec
for name, function in names.items():
    assert fsspec.compression.compr[name] is function
for suffix, name in suffixes.items():
    assert fsspec.utils.compressions[suffix] == name
added = {suffix: name for suffix, name in fsspec.utils.compressions.items() if suffix not in suffixes}
print(*sorted(added.items()))
for suffix, name in added.items():
    assert fsspec.utils.infer_compression(f"weights.{suffix}") == name
"""
    )
    for row in TABLE.values():
        if row.streaming and row.suffix == ".br":
            assert "('br', 'haagenti.brotli')" in output


def test_infer(tmp_path) -> None:
    path = tmp_path / "weights.br"
    if fsspec.utils.infer_compression(path.name) != "haagenti.brotli":
        pytest.skip("fsspec has a compression of its own for .br")
    with fsspec.open(path, "wb", compression="infer") as file:
        file.write(DATA)
    assert haagenti.decompress(path.read_bytes(), "brotli") == DATA
    with fsspec.open(path, "rb", compression="infer") as file:
        assert file.read() == DATA


def test_append(tmp_path) -> None:
    path = tmp_path / "weights"
    for part in (DATA[:1000], DATA[1000:]):
        with fsspec.open(path, "ab", compression="haagenti.zstd") as file:
            file.write(part)
    assert haagenti.decompress(path.read_bytes()) == DATA
    with pytest.raises(haagenti.InvalidArgumentError, match="brotli"), fsspec.open(path, "ab", compression="haagenti.brotli"):
        pass


def test_options() -> None:
    """Callers of the function that fsspec keeps may give what compress takes."""
    function = fsspec.compression.compr["haagenti.zstd"]
    memory = fsspec.filesystem("memory")
    sizes = []
    for level in (1, 19):
        with function(memory.open("/weights", "wb"), mode="w", level=level, dictionary=DATA[:1000]) as file:
            file.write(DATA)
        sizes.append(memory.size("/weights"))
        with function(memory.open("/weights", "rb"), mode="r", dictionary=DATA[:1000]) as file:
            assert file.read() == DATA
    assert sizes[1] < sizes[0]


@pytest.mark.parametrize("place", ["memory://plain-", ""])
def test_append_to_what_is_something_else(place: str, tmp_path) -> None:
    """Where the file system can show what is there."""
    path = f"{place}weights" if place else str(tmp_path / "weights")
    for content in (b"plain text", haagenti.compress(DATA, "gzip")):
        with fsspec.open(path, "wb") as file:
            file.write(content)
        with pytest.raises(haagenti.InvalidArgumentError, match=r"weights.*zstd cannot be appended"):
            fsspec.open(path, "ab", compression="haagenti.zstd").open()
        with fsspec.open(path, "rb") as file:
            assert file.read() == content
    with fsspec.open(path, "ab", compression="haagenti.gzip") as file:
        file.write(b"more")
    with fsspec.open(path, "rb", compression="haagenti.gzip") as file:
        assert file.read() == DATA + b"more"
