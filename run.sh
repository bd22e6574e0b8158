#!/usr/bin/env bash
# ./run.sh [option…]: installs what is missing, builds, starts the server. Options are those of `payam serve --help`; they may
# also stand in the environment or in .env (see .env.example).
set -euo pipefail
cd "$(dirname "$0")"
. tools/lib.sh

tools/install run
say "building (the first time takes a while)"
build release payam
# exec: signals reach the server itself, which drains its connections and ends.
exec build/release/payam serve "$@"
