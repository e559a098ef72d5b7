# shellcheck shell=bash
# Functions shared by the scripts in this folder. Sourcing this file also changes to the project's folder.
set -euo pipefail
started_in=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '\n== %s\n' "$*" >&2; }
fail() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# absolute PATH   resolves PATH against the folder from which the script was started.
absolute() { (cd "$started_in" && realpath -m "$1"); }

# need THING[:PACKAGE]…   installs the Debian package of each THING that is missing. A THING is a command or, if it
# begins with a slash, a file. PACKAGE is THING by default.
need() {
  local item thing missing=() sudo=()
  for item; do
    thing=${item%%:*}
    if [[ $thing == /* ]]; then [[ -e $thing ]]; else command -v "$thing" >/dev/null; fi || missing+=("${item##*:}")
  done
  if ((${#missing[@]} == 0)); then return; fi
  command -v apt-get >/dev/null || fail "install these first (the names are Debian's): ${missing[*]}"
  if ((EUID != 0)); then
    command -v sudo >/dev/null || fail "as root, first: apt-get install ${missing[*]}"
    sudo=(sudo)
  fi
  say "Installing ${missing[*]}"
  # The lock prevents two scripts from installing packages at the same time. With `flock -o`, services that the packages
  # start do not inherit the lock, so it is released when apt-get ends.
  "${sudo[@]}" flock -o /var/cache/apt sh -c 'apt-get update -q; DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 \
    install -q -y --no-install-recommends "$@"' sh "${missing[@]}" </dev/null >&2
}

# Installs what the Rust and browser tests need besides Rust and Node.
need_test_tools() {
  need ffmpeg "${CHROMIUM:-chromium}:chromium" "${HEADLESS_SHELL:-chromium-headless-shell}:chromium-headless-shell" bwrap:bubblewrap \
    /usr/share/fonts/truetype/liberation:fonts-liberation /usr/share/fonts/truetype/noto/NotoColorEmoji.ttf:fonts-noto-color-emoji
}

need_ceph() { need radosgw ceph-mon ceph-osd ceph:ceph-common curl; }

need_postgres() {
  use_newest_postgres
  need initdb:postgresql
  use_newest_postgres
}

# Adds the programs of the newest installed PostgreSQL to PATH. Debian installs each version in a folder of its own,
# outside PATH.
use_newest_postgres() { PATH=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1):$PATH; }

# need_node MAJOR   installs Node if it is missing, and fails if it is older than MAJOR. Debian 12 provides Node 18.
need_node() {
  need node:nodejs npm
  node -e 'process.exit(parseInt(process.versions.node) < process.argv[1] ? 1 : 0)' "$1" || fail "Node $(node -v) is too old: $1 or newer is needed"
}

need_rust() {
  need cc:build-essential
  PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin
  command -v cargo >/dev/null || fail "Rust is missing: see https://rustup.rs"
}

# npm_ci FOLDER   installs the packages in FOLDER/package-lock.json, unless they are already installed.
npm_ci() {
  if [[ $1/node_modules/.package-lock.json -nt $1/package-lock.json ]]; then return; fi
  say "Installing the npm packages of $1"
  npm ci --prefix "$1" >&2
}

# need_venv FOLDER   creates a Python environment in FOLDER/venv with the packages of FOLDER/requirements.txt.
need_venv() {
  if [[ $1/venv/installed -nt $1/requirements.txt ]]; then return; fi
  need python3
  python3 -c 'import ensurepip' 2>/dev/null || need /no/ensurepip:python3-venv
  say "Installing the Python packages of $1"
  python3 -m venv "$1/venv"
  "$1/venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$1/requirements.txt" >&2
  touch "$1/venv/installed"
}

# free_ports COUNT   prints the first of COUNT consecutive ports on which nothing listens.
free_ports() {
  local first port
  while first=$((20000 + RANDOM % 10000)); do
    for ((port = first; port < first + $1; port++)); do
      if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then continue 2; fi
    done
    echo "$first"
    return
  done
}

# is_running PID FOLDER   succeeds if the process PID exists and has FOLDER in its arguments.
is_running() { tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline" | grep -qF "$2"; }

# end_process SIGNAL PIDFILE FOLDER   sends SIGNAL to the process whose id is in PIDFILE, and waits until the process
# has ended. If the process does not have FOLDER in its arguments, does nothing: the id now belongs to another program.
end_process() {
  local pid
  pid=$(head -n 1 "$2" 2>/dev/null) || return 0
  is_running "$pid" "$3" || return 0
  kill "-$1" "$pid"
  for _ in {1..400}; do
    is_running "$pid" "$3" || return 0
    sleep 0.05
  done
  fail "process $pid does not end"
}
