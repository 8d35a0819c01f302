# shellcheck shell=bash
# shellcheck disable=SC2034  # what is set here is used by the scripts that source it
#
# Shell functions shared by the scripts of deploy/. Sourced, never run.

LEAN_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# Debian's own interpreter: python3-grpcio belongs to it, whatever else PATH offers as python3.
LEAN_PYTHON=/usr/bin/python3

# say TEXT...: one line on what happens now.
say() {
  printf '==> %s\n' "$*"
}

# die TEXT...: says why and ends the script.
die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# usage_error TEXT...: a wrong command line.
usage_error() {
  printf '%s: %s (see %s --help)\n' "${0##*/}" "$*" "${0##*/}" >&2
  exit 2
}

# print_help: the comment at the head of the running script, which is its documentation.
print_help() {
  sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
}

# run_bound COMMAND...: runs it so that it ends with this script, even when the script is killed with -9.
run_bound() {
  setpriv --pdeathsig TERM -- "$@"
}

# build PRESET TARGET...: configures where needed and builds.
build() {
  local preset=$1
  shift
  # Objects are found again in the cache when the same sources lie in another folder.
  export CCACHE_BASEDIR=$LEAN_ROOT CCACHE_NOHASHDIR=1
  say "building (preset $preset)"
  cd "$LEAN_ROOT" || exit 1
  local log
  log=$(mktemp)
  if ! run_bound cmake --preset "$preset" >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    die "cmake --preset $preset failed"
  fi
  rm -f "$log"
  run_bound cmake --build --preset "$preset" --target "$@" || die "the build (preset $preset) failed"
}
