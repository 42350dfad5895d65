# Shared by the programs in scripts/: places, messages, rights. Sourced, never run.

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
out=$root/out
program=${0##*/}

say() { printf '%s: %s\n' "$program" "$*"; }
warn() { printf '%s: %s\n' "$program" "$*" >&2; }
die() { warn "$*"; exit 1; }
usage_error() { warn "$* (see $program --help)"; exit 2; }

# The comment block at the top of the calling script is its help.
print_help() { awk 'NR > 1 && /^#/ { sub(/^# ?/, ""); print; next } NR > 1 { exit }' "$0"; }

# Seconds since some start, for limits.
seconds() { printf '%(%s)T' -1; }

# Microseconds of the machine's clock.
microseconds() { local now=$EPOCHREALTIME; printf '%s' "${now/[.,]/}"; }

# Waits without starting a process: reads a pipe which stays empty, with a limit.
pause_fd=
nap() {
    [[ $pause_fd ]] || exec {pause_fd}<> <(:)
    read -r -t "$1" -u "$pause_fd" || true
}

# A positive whole number, or an end with a usage error. number NAME VALUE [LARGEST]
number() {
    [[ $2 =~ ^[1-9][0-9]{0,6}$ ]] || usage_error "$1 wants a positive number, not '$2'"
    (( $2 <= ${3:-9999999} )) || usage_error "$1 must not exceed $3"
}

# The way to root: nothing for root itself, sudo when it asks for no password; fails when there is none.
as_root() {
    if (( EUID == 0 )); then "$@"
    elif command -v sudo > /dev/null && sudo -n true 2> /dev/null; then sudo "$@"
    else return 1
    fi
}
have_root() { as_root true 2> /dev/null; }
