# Read by the other scripts. `prepare FILE` sets $python to an interpreter of .venv that has what
# FILE pins and the project itself; with nothing changed since the last time that takes no time.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=$root/.venv/bin/python

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "$@"
  exit 1
}

# The first Python of at least 3.11 that can make an environment. A name that stands on PATH
# without a working interpreter behind it, as version managers leave them, is passed over.
find_python() {
  local name found='' without_venv=''
  for name in "${PYTHON:-python3.13}" python3.13 python3.12 python3.11 python3 python; do
    "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
    if "$name" -c 'import ensurepip, venv' 2>/dev/null; then
      found=$name
      break
    fi
    without_venv=$name
  done
  if [ -n "$found" ]; then
    printf '%s\n' "$found"
  elif [ -n "$without_venv" ]; then
    fail "$without_venv cannot make a virtual environment (on Debian: apt-get install python3-venv)."
  else
    fail "Tinghao needs Python 3.11 or newer, and there is none on PATH." \
      "Install one, or set PYTHON to it."
  fi
}

checksum() {
  if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi
}

# What an environment was made from: where, with which Python, and the pinned packages.
state_for() {
  { printf '%s\n' "$root"; "$python" --version; cat "$root/$1" "$root/pyproject.toml"; } | checksum
}

prepare() {
  local base state stamp=$root/.venv/.installed
  if ! "$python" -c '' 2>/dev/null; then
    base=$(find_python)
    say "Making .venv with $("$base" --version) ..."
    "$base" -m venv --clear "$root/.venv"
  fi
  # Everything that running needs is pinned alike for the checks, so their environment serves both.
  for state in "$1" requirements-dev.txt; do
    if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(state_for "$state")" ]; then return; fi
  done
  say "Installing $1 (about a minute the first time) ..."
  rm -f "$stamp"
  pip install --require-hashes --requirement "$root/$1"
  pip install --no-deps --no-build-isolation --editable "$root"
  state_for "$1" >"$stamp"
}

pip() {
  "$python" -m pip --quiet --quiet --disable-pip-version-check --no-input "$@"
}
