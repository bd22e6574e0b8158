#!/usr/bin/env bash
# ./test.sh: installs what is missing, builds, runs every test, and prints `N passed, N failed` as its last line. Stops at the first
# part that fails. Logs stand in build/test-logs/. The long versions (thread sanitizer, soaks, all of lint) are in tools/check-all.
set -euo pipefail
cd "$(dirname "$0")"
. tools/lib.sh

mkdir -p build/test-logs
passed=0
failed=0
began=$SECONDS

# step name command…: runs it, shows its output and adds what its last `N passed, N failed` says. A step whose command prints none is
# one test itself.
step() {
  local name=$1 log=build/test-logs/$1.log from=$SECONDS status=0 counts
  shift
  say "$name: $*"
  "$@" >"$log.new" 2>&1 </dev/null || status=$?
  mv "$log.new" "$log"
  counts=$(grep -aE '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1 || true)
  if [[ -n $counts ]]; then
    local good bad
    read -r good _ bad _ <<<"$counts"
    passed=$((passed + good))
    failed=$((failed + bad))
    if ((status == 0 && (bad > 0 || good == 0))); then status=1; fi
  elif ((status == 0)); then
    passed=$((passed + 1))
  fi
  if ((status != 0)); then
    tail -n 120 "$log" >&2
    ((failed > 0)) || failed=1
    echo "test.sh: $name failed (status $status), the whole log is $log" >&2
    echo "$passed passed, $failed failed"
    exit 1
  fi
  echo "   ${counts:-done} ($((SECONDS - from)) s)" >&2
}

# Work that is no test: installing and building.
prepare() {
  local from=$SECONDS log=build/test-logs/$1.log
  say "$1: ${*:2}"
  "${@:2}" >"$log" 2>&1 </dev/null || {
    tail -n 80 "$log" >&2
    echo "test.sh: $1 failed, the whole log is $log" >&2
    echo "$passed passed, 1 failed"
    exit 1
  }
  echo "   done ($((SECONDS - from)) s)" >&2
}

prepare install tools/install test
step layers tests/layers_check.py
step layers-self-test tests/layers_check.py --self-test
step checklist tests/checklist_check.py
step format tools/format --check
prepare build-dev tools/build dev
step unit tools/test
step lint tools/lint
prepare build-release tools/build release
step wire tests/run engineio socketio
step end-to-end tests/run e2e browser
step mongodb tests/run mongo
step fuzz env FUZZ_PRESET=dev tools/fuzz 10
step attack tools/attack short
step soak tools/soak short

say "took $(((SECONDS - began) / 60)) min $(((SECONDS - began) % 60)) s"
echo "$passed passed, $failed failed"
