"""``org/name`` of the HuggingFace hub as a local directory: a download into the local cache, or the cache alone without a network.

Not responsible for: reading the checkpoint.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import huggingface_hub
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from haagenti.errors import CorruptError, InvalidArgumentError, IoError
from haagenti.sources.side_files import WEIGHT_FOLDERS, WEIGHT_SUFFIXES
from haagenti.sources.weight_files import find_weight_files

# Of the HTTP library that huggingface_hub uses: its errors of transport are no OSError.
HTTPError = cast("type[Exception]", HfHubHTTPError.__bases__[0])
TIMEOUT = 15.0  # seconds
SAFETENSORS = (".safetensors", ".safetensors.index.json")


def resolve(repo_id: str, *, revision: str | None = None) -> Path:
    """The directory of `locate` alone."""
    return locate(repo_id, revision=revision)[0]


def locate(repo_id: str, *, revision: str | None = None) -> tuple[Path, tuple[str, ...]]:
    """Finds or downloads a model repository.

    The hub completes what the cache lacks. With ``HF_HUB_OFFLINE`` set, or when the hub does not answer, a cached snapshot with all its
    weights is used as it is. Weights in formats that are not read are not downloaded.

    Args:
        repo_id: ``org/name``.
        revision: branch, tag or commit; None for the main branch.

    Returns:
        The directory of the snapshot, and what a user should know about it.

    Raises:
        IoError: no such repository or revision, no access, or no network and not in the cache.
        InvalidArgumentError: not a valid name.
    """
    name = repo_id if revision is None else f"{repo_id} (revision {revision})"
    try:
        return _download(repo_id, revision), ()
    except HFValidationError as error:
        raise InvalidArgumentError(f"{name}: {error}") from error
    except (GatedRepoError, RevisionNotFoundError, RepositoryNotFoundError) as error:
        raise IoError(f"{name}: {_refusal(error)}") from error
    except (HTTPError, OSError) as error:  # offline, no network, a server's failure
        cached = _from_cache(repo_id, revision)
        if cached is None:
            raise IoError(f"{name}: {_failure(error)}") from error
        why = "HF_HUB_OFFLINE is set" if isinstance(error, OfflineModeIsEnabled) else f"the hub cannot be reached ({_first_line(error)})"
        return cached, (f"{name}: the snapshot of the local cache is used as it is, it may lack files and be old: {why}",)


def _download(repo_id: str, revision: str | None) -> Path:
    """The complete snapshot; what the cache has is not downloaded again.

    The files are asked for in one request, which is not repeated when there is no network.
    """
    info = huggingface_hub.HfApi().model_info(repo_id, revision=revision, timeout=TIMEOUT)
    ignore = _ignored([file.rfilename for file in info.siblings or []])
    return Path(huggingface_hub.snapshot_download(repo_id, revision=revision, ignore_patterns=ignore))


def _refusal(error: HfHubHTTPError) -> str:
    if isinstance(error, GatedRepoError):
        return "access is restricted; accept its terms on the hub and log in (hf auth login)"
    if isinstance(error, RevisionNotFoundError):
        return "the repository has no such revision"
    return "no such directory here and no such repository on the hub (or it is private: hf auth login)"


def _failure(error: Exception) -> str:
    if isinstance(error, OfflineModeIsEnabled):
        return f"not complete in the local cache {_cache()}, and HF_HUB_OFFLINE forbids a download"
    if isinstance(error, (HfHubHTTPError, LocalEntryNotFoundError)) or not isinstance(error, (HTTPError, ConnectionError, TimeoutError)):
        return f"not complete in the local cache {_cache()}, and the download failed: {_first_line(error)}"
    return f"no such directory here, and the hub cannot be reached ({_first_line(error)}); not complete in the local cache {_cache()}"


def _from_cache(repo_id: str, revision: str | None) -> Path | None:
    """The cached snapshot if all its weights are there."""
    try:
        path = Path(huggingface_hub.snapshot_download(repo_id, revision=revision, local_files_only=True))
        find_weight_files(path)
    except (LocalEntryNotFoundError, CorruptError, InvalidArgumentError):
        return None
    return path


def _ignored(files: list[str]) -> list[str]:
    """Patterns of the weight files of a repository that would not be read: all but one format."""
    has_safetensors = any("/" not in file and file.endswith(SAFETENSORS) for file in files)
    formats = sorted(WEIGHT_SUFFIXES - {".safetensors"} - (set() if has_safetensors else {".bin"}))
    return [f"*{suffix}" for suffix in formats] + [f"{folder}/*" for folder in sorted(WEIGHT_FOLDERS)]


def _cache() -> str:
    return str(huggingface_hub.constants.HF_HUB_CACHE)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
