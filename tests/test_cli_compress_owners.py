"""haagenti compress and haagenti decompress: whose files they make, and what they do in folders of others."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli_compress_samples import (
    DATA,
    names,
    own_folder,  # noqa: F401 - every test runs in it
    write,
)
from haagenti.cli.run import run


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory that every user can reach and write to."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o777)
        monkeypatch.chdir(name)
        assert run(["compress", write("loaded")]) == 0  # all modules, which other users might not be able to read
        assert run(["compress", "missing"]) == 1
        os.unlink("loaded.zst")
        yield Path(name)


def call_as(user: int, group: int, arguments: list[str]) -> int:
    """The exit code of the command line in a copy of this process that belongs to somebody else."""
    child = os.fork()
    if child == 0:
        code = 99
        try:
            os.setgroups([])
            os.setgid(group)
            os.setuid(user)
            code = run(arguments)
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


needs_root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")


@needs_root
def test_owner_and_group_are_kept() -> None:
    write("a")
    os.chown("a", 1234, 4321)
    os.chmod("a", 0o640)
    assert run(["compress", "a"]) == 0
    packed = os.stat("a.zst")
    assert (packed.st_uid, packed.st_gid, stat.S_IMODE(packed.st_mode)) == (1234, 4321, 0o640)
    assert run(["decompress", "a.zst"]) == 0
    plain = os.stat("a")
    assert (plain.st_uid, plain.st_gid, stat.S_IMODE(plain.st_mode)) == (1234, 4321, 0o640)


@needs_root
@pytest.mark.usefixtures("public")
def test_another_group_gets_no_permissions() -> None:
    write("a")
    os.chown("a", 1234, 4321)
    os.chmod("a", 0o664)
    assert call_as(65534, 65534, ["compress", "a"]) == 0
    packed = os.stat("a.zst")
    assert (packed.st_uid, packed.st_gid, stat.S_IMODE(packed.st_mode)) == (65534, 65534, 0o604)


@needs_root
def test_files_and_folders_that_may_not_be_touched(public: Path) -> None:
    public.chmod(0o755)
    write("secret")
    os.chmod("secret", 0o600)
    write("a")
    os.chmod("a", 0o644)
    assert call_as(65534, 65534, ["compress", "a"]) == 1  # a folder of root's
    public.chmod(0o777)
    assert call_as(65534, 65534, ["compress", "secret"]) == 1
    assert names() == ["a", "secret"]
    public.chmod(0o1777)  # where nobody removes what is others', as in /tmp
    assert call_as(65534, 65534, ["compress", "a"]) == 1
    assert (names(), Path("a").read_bytes()) == (["a", "a.zst", "secret"], DATA)
