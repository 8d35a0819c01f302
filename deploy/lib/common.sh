# shellcheck shell=bash
# shellcheck disable=SC2034  # the scripts that source this file use the variables
#
# Shell functions shared by the scripts of deploy/. Sourced, never run.

LEAN_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# Debian's interpreter, which has python3-grpcio. PATH may contain another python3.
LEAN_PYTHON=/usr/bin/python3

# say TEXT...: prints a progress line.
say() {
  printf '==> %s\n' "$*"
}

# die TEXT...: prints an error and ends the script.
die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# usage_error TEXT...: reports a wrong command line and ends the script.
usage_error() {
  printf '%s: %s (see %s --help)\n' "${0##*/}" "$*" "${0##*/}" >&2
  exit 2
}

# print_help: prints the comment at the top of the running script, which is its documentation.
print_help() {
  sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
}

# run_bound COMMAND...: runs a command that ends together with this script, even if the script is killed with -9.
run_bound() {
  setpriv --pdeathsig TERM -- "$@"
}

# build PRESET TARGET...: configures and builds.
build() {
  local preset=$1
  shift
  # Allows the compiler cache to reuse objects of the same sources in another folder.
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
