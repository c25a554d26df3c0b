#!/usr/bin/env bash
# Installs the torch that constraints.txt pins, as a CPU build, unless it is there already.
# Not responsible for any other package.
#
# usage: torch.sh PYTHON
# TORCH_INDEX: index of CPU builds that is added when the configured one has none for this machine; "none" takes what pip finds (with CUDA: gigabytes).
set -euo pipefail
python=$1
index=${TORCH_INDEX:-https://download.pytorch.org/whl/cpu}
want=$(sed -n 's/^torch==//p' constraints.txt)

have=$("$python" -c 'from importlib.metadata import version; print(version("torch"))' 2>/dev/null || true)
if [ "${have%%+*}" = "$want" ]; then
  echo "torch: $have is there"
  exit 0
fi

# The version, with its "+cpu" label if it has one, of the build that pip would install; nothing is downloaded but metadata.
pick() {
  "$python" -m pip install --quiet --dry-run --ignore-installed --no-deps --report - "torch==$want" 2>/dev/null |
    "$python" -c 'import json, sys; print(json.load(sys.stdin)["install"][0]["metadata"]["version"])' || true
}

options=()
if [ "$index" != none ]; then
  case "$(pick)" in
    *+cpu) ;;
    *) options=(--extra-index-url "$index") ;;
  esac
fi
echo "torch: installing torch==$want ${options[*]}"
exec "$python" -m pip install --constraint constraints.txt "${options[@]}" "torch==$want"
