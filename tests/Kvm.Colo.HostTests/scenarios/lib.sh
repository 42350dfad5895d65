# What the scenarios share: VMs by name, their serial lines and control sockets. Sourced by a scenario that runs inside an emulated host,
# with the tree as its working folder. A failure prints the ends of all serial lines and the registers of what still runs.

set -euo pipefail

work=$(mktemp -d)
linux=out/images/linux
declare -A pids=()

# Limits are given for a quiet machine. They are there to end a hang, and an emulated host on a busy machine is several times slower.
patience=4

exec {never}<> <(:)
nap() { read -r -t "$1" -u "$never" || true; }

# A scenario may say what else to take down, once no VM runs any more.
after_vms() { :; }

# attach FILE: the file as a block device until the scenario ends, named in $loop.
loops=()
attach() {
    (( ${#loops[@]} > 0 )) || modprobe loop
    loop=$(losetup --find --show "$1")
    loops+=("$loop")
}

# QEMU's software CPU now and then leaves a Linux guest twice: its VMCB then holds registers of the emulated host, most often with the
# instruction behind KVM's VMRUN, and the guest is lost whatever its VMM does: its next run ends in a shutdown (triple fault). KVM clears
# the registers of a vCPU that has shut down, so the host's trace keeps the exit. Linux guests here have no other reason to shut down; one
# that is lost again and again fails its test.
host_fault=75
tracing=/sys/kernel/tracing
mountpoint -q "$tracing" || mount -t tracefs tracing "$tracing"
echo 'exit_reason == 0x7f' > "$tracing/events/kvm/kvm_exit/filter" # SVM: shutdown
: > "$tracing/trace"
echo 1 > "$tracing/events/kvm/kvm_exit/enable"

# A guest that has lost a vCPU need not be waited for. A kernel may restart by a shutdown: such a scenario says so.
shutdowns_expected=
has_shut_down() { [[ ! $shutdowns_expected ]] && grep -q kvm_exit "$tracing/trace"; }
no_shutdown() { ! has_shut_down || fail "a vCPU has shut down"; }

# Whether a guest was lost that way: by the registers of what still runs, and by the shutdowns since this scenario began.
is_host_fault() {
    local rip start fault=
    start=$(awk '$3 == "__svm_vcpu_run" { print "0x" $1; exit }' /proc/kallsyms)
    for rip in $(sed -nE 's/.* rip 0x([0-9a-f]{16}) .*/\1/p' "$tracing/trace") $(cat "$work"/*.state 2> /dev/null | grep -oE 'RIP=[0-9a-f]{16}' | cut -d= -f2); do
        [[ $start ]] && (( 0x$rip >= start && 0x$rip < start + 0x200 )) || continue
        fault="the emulated CPU has put the host's registers into a guest (RIP $rip)"
        break
    done
    if [[ ! $fault ]] && has_shut_down; then fault="a vCPU of a Linux guest has shut down, not behind VMRUN"; fi
    [[ $fault ]] || return 1
    echo "HOST FAULT: $fault"
}

finish() {
    local status=$? name state
    trap - EXIT
    if (( status != 0 )); then
        for name in "$work"/*.out; do
            [[ -e $name ]] || continue
            printf -- '--- %s\n' "${name##*/}"
            tail -n 40 "$name"
            [[ ! -e ${name%.out}.err ]] || tail -n 20 "${name%.out}.err"
        done
        for name in "${!pids[@]}"; do
            [[ -S $work/$name.qmp ]] || continue
            printf -- '--- %s: registers\n' "$name"
            for state in 'info status' 'info cpus' 'info registers -a'; do
                qmp "$name" --timeout 10 human-monitor-command command-line="$state" 2>&1 || true
            done > "$work/$name.state"
            qmp "$name" --timeout 10 __org.colo-vm_query-devices >> "$work/$name.state" 2>&1 || true
            cat "$work/$name.state"
        done
        printf -- '--- shutdowns of vCPUs\n'
        grep kvm_exit "$tracing/trace" | head -n 20 || true
        if is_host_fault; then status=$host_fault; fi
    fi
    # Whatever else a scenario has started goes too: a network client would wait for its dead guest for good.
    kill -KILL "${pids[@]}" $(jobs -p) 2> /dev/null || true
    wait 2> /dev/null || true
    after_vms
    for loop in "${loops[@]}"; do losetup -d "$loop" || true; done
    rm -rf "$work"
    exit "$status"
}
trap finish EXIT

fail() { echo "FAILED: $*"; exit 1; }

# vm NAME OPTION...: starts a VM; its serial line is typed into with type_in and read with await; with line=console in the environment it
# is the virtio console instead.
vm() {
    local name=$1 ends=(--serial stdio)
    [[ ${line:-serial} == serial ]] || ends=(--serial "file:$work/$1.serial" --console stdio)
    shift
    [[ -p $work/$name.in ]] || mkfifo "$work/$name.in"
    : > "$work/$name.out"
    out/bin/colo-vm run --name guest "${ends[@]}" --qmp "unix:$work/$name.qmp" "$@" \
        < <(exec cat <> "$work/$name.in") > "$work/$name.out" 2> "$work/$name.err" &
    pids[$name]=$!
}

# linux_vm NAME KERNEL APPEND OPTION...: a VM with one of the Debian kernels, cloud or generic.
linux_vm() {
    local name=$1 kernel=$2 append=$3
    shift 3
    vm "$name" --kernel "$linux/$kernel/bzImage" --initrd "$linux/$kernel/initrd.cpio.gz" --append "console=ttyS0 quiet $append" "$@"
}

type_in() { printf '%s\n' "$2" > "$work/$1.in"; }

is_running() { kill -0 "${pids[$1]}" 2> /dev/null; }

# await NAME PATTERN SECONDS: until a line of the serial output matches.
await() {
    local end=$((SECONDS + $3 * patience))
    until grep -qaE -- "$2" "$work/$1.out"; do
        (( SECONDS < end )) || fail "$1 did not say '$2' within $(($3 * patience)) s"
        is_running "$1" || grep -qaE -- "$2" "$work/$1.out" || fail "$1 ended before it said '$2'"
        no_shutdown
        nap 0.2
    done
}

# ended NAME SECONDS [STATUS]: until the VM's process has ended, with that exit status.
ended() {
    local end=$((SECONDS + $2 * patience)) status=0
    while is_running "$1"; do
        (( SECONDS < end )) || fail "$1 did not end within $(($2 * patience)) s"
        nap 0.2
    done
    wait "${pids[$1]}" || status=$?
    unset "pids[$1]"
    (( status == ${3:-0} )) || fail "$1 ended with status $status"
}

# shell NAME COMMAND SECONDS: types a command and waits for its end; the status must be 0. The mark is computed by the guest's shell, so
# the echo of what was typed is not taken for it.
marks=0
shell() {
    marks=$((marks + 1))
    type_in "$1" "$2; echo mark=$marks status=\$?"
    await "$1" "^mark=$marks status=[0-9]" "$3"
    grep -qaE "^mark=$marks status=0" "$work/$1.out" || fail "$1: $2"
}

qmp() {
    local name=$1
    shift
    out/bin/colo-vm qmp --qmp "unix:$work/$name.qmp" "$@"
}

# ask NAME COMMAND [ARGUMENTS]: the same at little cost.
ask() {
    local name=$1
    shift
    tests/Kvm.Colo.HostTests/scenarios/ask "$work/$name.qmp" "$@"
}

# await_qmp NAME SECONDS PATTERN COMMAND: asks until the answer matches.
await_qmp() {
    local end=$((SECONDS + $2 * patience)) answer=
    while :; do
        answer=$(ask "$1" "$4" 2>&1) || true
        [[ ! $answer =~ $3 ]] || return 0
        (( SECONDS < end )) || fail "$1: $4 never answered '$3': $answer"
        no_shutdown
        nap 1
    done
}

# await_checkpoints NAME COUNT SECONDS: until that many checkpoints have passed in the running session.
await_checkpoints() {
    local end=$((SECONDS + $3 * patience)) count=0
    while :; do
        is_running "$1" || fail "$1 ended"
        count=$(ask "$1" query-colo-statistics 2> /dev/null | grep -oE '"checkpoints": *[0-9]+' | grep -oE '[0-9]+$') || count=0
        (( count < $2 )) || return 0
        ! grep -q 'protection is lost' "$work/$1.err" || fail "$1: protection is lost after $count checkpoints"
        (( SECONDS < end )) || fail "$1: $count of $2 checkpoints in $(($3 * patience)) s"
        no_shutdown
        nap 3
    done
}
