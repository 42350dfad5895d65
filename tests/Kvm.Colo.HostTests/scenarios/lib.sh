# What the scenarios share: VMs by name, their serial lines and control sockets. Sourced by a scenario that runs inside an emulated host,
# with the tree as its working folder. A failure prints the ends of all serial lines and the registers of what still runs.

set -euo pipefail

work=$(mktemp -d)
linux=out/images/linux
declare -A pids=()

# Limits are given for a quiet machine. They are there to end a hang, and an emulated host on a busy machine is several times slower.
patience=4

exec {nothing}<> <(:)
nap() { read -r -t "$1" -u "$nothing" || true; }

# observe SECONDS REQUEST...: what scenarios/observer answers, in $observed. One user at a time; a subshell may be it.
mkfifo "$work/requests" "$work/answers"
exec {requests}<> "$work/requests" {answers}<> "$work/answers"
tests/Kvm.Colo.HostTests/scenarios/observer <&"$requests" >&"$answers" &
observe() {
    local seconds=$1 IFS=$'\t' outcome=
    shift
    observed="the observer does not answer"
    printf '%s\n' "$*" >&"$requests"
    read -r -t "$seconds" outcome observed <&"$answers" || true
    [[ $outcome == ok ]]
}

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
                ask "$name" human-monitor-command "{\"command-line\":\"$state\"}" 2>&1 | sed 's/\\r\\n/\n/g' || true
            done > "$work/$name.state"
            ask "$name" __org.colo-vm_query-devices >> "$work/$name.state" 2>&1 || true
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

# watching NAME SECONDS WHAT...: waits as scenarios/observer says; never=PATTERN=FILE in the environment is what must not come.
watching() {
    local name=$1 seconds=$(($2 * patience)) kind=$3 trace=$tracing/trace
    shift 3
    [[ ! $shutdowns_expected ]] || trace=
    observe $((seconds + 150)) "$kind" "${pids[$name]}" "$seconds" "$trace" "${never:-}" "$@" || fail "$name: ${*:2}: $observed"
}

# await NAME PATTERN SECONDS [COUNT]: until that many lines (1) of the serial output match.
await() { watching "$1" "$3" lines "$work/$1.out" "$2" "${4:-1}"; }

# await_qmp NAME SECONDS PATTERN COMMAND: asks until the answer matches.
await_qmp() { watching "$1" "$2" answer "$work/$1.qmp" "$4" "$3" ""; }

# await_checkpoints NAME COUNT SECONDS: until that many checkpoints have passed in the running session.
await_checkpoints() {
    never="protection is lost=$work/$1.err" watching "$1" "$3" answer "$work/$1.qmp" query-colo-statistics '"checkpoints": *([0-9]+)' "$2"
}

# ended NAME SECONDS [STATUS]: until the VM's process has ended, with that exit status.
ended() {
    local end=$((SECONDS + $2 * patience)) status=0
    while is_running "$1"; do
        (( SECONDS < end )) || fail "$1 did not end within $(($2 * patience)) s"
        nap 0.5
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

# ask NAME COMMAND [ARGUMENTS]: a QMP command's answer, on one line.
ask() {
    local status=0
    observe 150 ask "$work/$1.qmp" "$2" "${3:-"{}"}" || status=1
    printf '%s\n' "$observed"
    return "$status"
}
