#!/usr/bin/env bash
# Checks that the Debian packages needed to build are installed: root installs the missing ones, anyone else is shown the command.
# Not responsible for Python packages.
#
# usage: packages.sh PYTHON      (PYTHON: the interpreter that .venv is made with)
#        packages.sh --tools     (the commands that tests exchange files with; tests skip where one is missing)
set -euo pipefail
python=${1:-python3}

# Reports whether a Debian package is installed.
installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

if ! command -v dpkg-query >/dev/null; then
  echo "packages: not a Debian system; needed are a C++20 compiler, CMake >= 3.25, Ninja, Python >= 3.10 with headers and venv, and the static"
  echo "          libraries and headers of zstd, lz4, brotli, libdeflate, zlib, xxhash, GoogleTest and perhaps ISA-L, and Eigen's headers. CMake says what is missing."
  exit 0
fi

if [ "$python" = --tools ]; then
  missing=()
  for tool in zstd lz4 brotli pigz bgzip; do
    package=${tool/bgzip/tabix}
    command -v "$tool" >/dev/null || missing+=("$package")
  done
  if [ ${#missing[@]} -eq 0 ]; then
    echo "tools: all there"
  elif [ "$(id -u)" -ne 0 ]; then
    echo "tools: the tests that need them skip; apt-get install ${missing[*]} brings them"
  else
    echo "tools: apt-get install ${missing[*]}"
    DEBIAN_FRONTEND=noninteractive apt-get update -q
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" || echo "tools: not to be had; the tests that need them skip"
  fi
  exit 0
fi

missing=()
command -v c++ >/dev/null || missing+=(g++)
command -v cmake >/dev/null || missing+=(cmake)
command -v ninja >/dev/null || missing+=(ninja-build)
if [ -z "${HAAGENTI_DEPS_PREFIX:-}" ]; then
  for package in libzstd-dev liblz4-dev libbrotli-dev libdeflate-dev zlib1g-dev libisal-dev libxxhash-dev libeigen3-dev libgtest-dev; do
    installed "$package" || missing+=("$package")
  done
fi
# apt reaches https mirrors, and CMake downloads, with these.
[ -e /etc/ssl/certs/ca-certificates.crt ] || missing+=(ca-certificates)
if ! command -v "$python" >/dev/null; then
  missing+=(python3 python3-venv python3-dev)
else
  "$python" -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
  header=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include") + "/Python.h")')
  [ -e "$header" ] || missing+=(python3-dev)
fi

if [ ${#missing[@]} -eq 0 ]; then
  echo "packages: all there"
  exit 0
fi
command="apt-get install -y --no-install-recommends ${missing[*]}"
if [ "$(id -u)" -ne 0 ]; then
  echo "packages: some are missing. Run this as root, then make again:" >&2
  echo "  apt-get update && $command" >&2
  exit 1
fi
echo "packages: apt-get update && $command"
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
$command
