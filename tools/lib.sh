# shellcheck shell=bash
# Shared by the scripts here; sourced, never run.

say() { printf '\033[1m== %s\033[0m\n' "$*" >&2; }
fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# Runs a command without its output, unless it fails.
quietly() {
  local log
  log=$(mktemp)
  if "$@" >"$log" 2>&1 </dev/null; then
    rm -f "$log"
  else
    local status=$?
    tail -n 60 "$log" >&2
    rm -f "$log"
    fail "failed (status $status): $*"
  fi
}

# Configures and builds: build preset [target…]. BUILD_JOBS limits the parallel compilers.
build() {
  local preset=$1 targets=()
  mkdir -p build
  shift
  local target
  for target in "$@"; do targets+=(--target "$target"); done
  cmake --preset "$preset" >"build/.configure-$preset.log" 2>&1 </dev/null || {
    tail -n 40 "build/.configure-$preset.log" >&2
    fail "cmake --preset $preset failed"
  }
  cmake --build --preset "$preset" ${BUILD_JOBS:+-j "$BUILD_JOBS"} "${targets[@]}"
}
