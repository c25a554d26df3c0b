"""``org/name`` of the HuggingFace hub as a local directory: what is in the local cache first, then a download.

Not responsible for: reading the checkpoint.
"""

from __future__ import annotations

from pathlib import Path

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

SAFETENSORS = (".safetensors", ".safetensors.index.json")


def resolve(repo_id: str, *, revision: str | None = None) -> Path:
    """Finds or downloads a model repository.

    With ``HF_HUB_OFFLINE`` set only the cache is used. Weights in formats that are not read are not downloaded.

    Args:
        repo_id: ``org/name``.
        revision: branch, tag or commit; None for the main branch.

    Returns:
        The directory of the snapshot.

    Raises:
        IoError: no such repository or revision, no access, or no network and not in the cache.
        InvalidArgumentError: not a valid name.
    """
    cached = _from_cache(repo_id, revision)
    if cached is not None:
        return cached
    name = repo_id if revision is None else f"{repo_id} (revision {revision})"
    try:
        files = huggingface_hub.HfApi().list_repo_files(repo_id, revision=revision)
        ignore = _ignored(files)
        return Path(huggingface_hub.snapshot_download(repo_id, revision=revision, ignore_patterns=ignore))
    except GatedRepoError as error:
        raise IoError(f"{name}: access is restricted; accept its terms on the hub and log in (hf auth login)") from error
    except RevisionNotFoundError as error:
        raise IoError(f"{name}: the repository has no such revision") from error
    except RepositoryNotFoundError as error:
        raise IoError(f"{name}: no such directory here and no such repository on the hub (or it is private: hf auth login)") from error
    except OfflineModeIsEnabled as error:
        raise IoError(f"{name}: not complete in the local cache {_cache()}, and HF_HUB_OFFLINE forbids a download") from error
    except HFValidationError as error:
        raise InvalidArgumentError(f"{name}: {error}") from error
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise IoError(f"{name}: not complete in the local cache {_cache()}, and the download failed: {_first_line(error)}") from error


def _from_cache(repo_id: str, revision: str | None) -> Path | None:
    """The cached snapshot if all its weights are there."""
    try:
        path = Path(huggingface_hub.snapshot_download(repo_id, revision=revision, local_files_only=True))
        find_weight_files(path)
    except (LocalEntryNotFoundError, CorruptError, InvalidArgumentError):
        return None
    except HFValidationError as error:
        raise InvalidArgumentError(f"{repo_id}: {error}") from error
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
