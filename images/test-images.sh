#!/bin/bash
# Boots every tiny guest under QEMU and checks what it prints; one line per guest. Usage: test-images.sh [IMAGES] [NAME-PATTERN]
set -u
cd "$(dirname "$0")" || exit 1
images=${1:-${COLO_OUT:-../out}/images}
pattern=${2:-*}
limit=30
failures=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
head -c 100000 /dev/zero | tr '\0' c > "$scratch/initrd"
printf 'first\nsecond\r\n%0500d\nquit\n' 7 > "$scratch/input"
: > "$scratch/none"
mkfifo "$scratch/keyboard"
exec {keyboard}<> "$scratch/keyboard"

accel=(-accel tcg)
[ -w /dev/kvm ] && accel=(-accel kvm)

# check TITLE STATUS INPUT REGEX... -- QEMU ARGUMENTS: the regexes must match lines in this order. STATUS "kill" ends the guest at
# the last match; INPUT is typed at the first.
check()
{
    local title=$1 status=$2 input=$3 want=() line at=0 fd pid got
    shift 3
    # shellcheck disable=SC2053
    [[ $title == $pattern ]] || return 0
    while [ "$1" != -- ]; do want+=("$1"); shift; done
    shift
    exec {fd}< <(exec timeout "$limit" qemu-system-x86_64 "${accel[@]}" -m 16 -display none -nodefaults -monitor none \
        -chardev stdio,id=com1,signal=off -serial chardev:com1 -device isa-debug-exit,iobase=0xf4,iosize=1 "$@" \
        2> "$scratch/errors" < "$scratch/keyboard")
    pid=$!
    : > "$scratch/lines"
    while IFS= read -r -t "$limit" -u "$fd" line; do
        line=${line%$'\r'}
        printf '%s\n' "$line" >> "$scratch/lines"
        if [ "$at" -lt ${#want[@]} ] && [[ $line =~ ${want[at]} ]]; then
            at=$((at + 1))
            [ "$at" = 1 ] && cat "$input" >&"$keyboard"
        fi
        if [ "$at" = ${#want[@]} ] && [ "$status" = kill ]; then kill "$pid"; break; fi
    done
    exec {fd}<&-
    wait "$pid" 2> /dev/null
    got=$?
    [ "$status" = kill ] && got=kill
    if [ "$at" = ${#want[@]} ] && [ "$got" = "$status" ]; then
        echo "ok   $title"
    else
        failures=$((failures + 1))
        echo "FAIL $title: status $got (want $status), no line like: ${want[at]:-}"
        sed 's/^/     /' "$scratch/lines" "$scratch/errors" | tail -12
    fi
}

elf() { echo -M microvm,rtc=off -cpu qemu64,-sse3 -kernel "$images/$1.elf"; }
mb() { echo -M pc -cpu qemu64,-sse3 -kernel "$images/$1.mb"; }
none=$scratch/none
crc=$(gzip -c "$scratch/initrd" | tail -c8 | od -An -tx4 -N4 | tr -d ' ')

# shellcheck disable=SC2046
{
check hello.elf 11 "$none" 'hello .* pvh$' 'cmdline: a=b exit=5$' 'memory: 1[0-9]{4} KiB' "module 0: 100000 bytes crc32 $crc" -- \
    $(elf hello) -append 'a=b exit=5' -initrd "$scratch/initrd" -no-reboot
check hello.mb 11 "$none" 'hello .* multiboot$' 'cmdline: .*a=b exit=5$' 'memory: 1[0-9]{4} KiB' "module 0: 100000 bytes crc32 $crc" -- \
    $(mb hello) -append 'a=b exit=5' -initrd "$scratch/initrd" -no-reboot
check hello-acpi-off 0 "$none" 'acpi: yes' -- $(elf hello) -append off=acpi -no-reboot
check hello-bad-option 5 "$none" 'option exit: not a number' -- $(elf hello) -append exit=x -no-reboot
check heartbeat 1 "$none" '^heartbeat 1 t=0$' '^heartbeat 2 t=2[0-9]$' '^heartbeat 5 t=8[0-9]$' -- $(elf heartbeat) -append 'count=5 period=20' -no-reboot
check dirty 1 "$none" '^dirty start pages=64 set=2000 ' '^dirty pass 40000 pages 2560000 t=' '^dirty gap-us [0-9]+\.[0-9] ticks' '^dirty gaps-ns [0-9]+:[0-9]' -- \
    $(elf dirty) -append 'pages=64 set=2000 tick=0 count=40000' -no-reboot
check dirty-fill-words 1 "$none" '^dirty pass 20 pages 5120 t=' -- $(elf dirty) -append 'tick=10 fill=1 random=1 words=64 spin=1 count=20' -no-reboot
check dirty-fill-random 1 "$none" '^dirty pass 20 pages 5120 t=' -- $(elf dirty) -append 'tick=10 fill=1 random=1 spin=1 count=20' -no-reboot
check chain.elf 1 "$none" '^chain start' '^chain 1000000 ok ed622cb96079fa23$' '^chain 2000000 ok 58ace1c46591f1a3$' -- $(elf chain) -append count=2000000 -no-reboot
check chain.mb 1 "$none" '^chain 1000000 ok ed622cb96079fa23$' -- $(mb chain) -append count=1000000 -no-reboot
for what in page lost sse twin x87 fs sum; do
    check "chain-sabotage-$what" 3 "$none" '^chain BROKEN at ' -- $(elf chain) -append "count=3000000 sabotage=$what" -no-reboot
done
check echo 1 "$scratch/input" '^echo ready$' '^echo: first$' '^echo: second$' '^echo: 0{499}7$' '^echo quit lines 4' -- $(elf echo) -no-reboot
check smp.elf 1 "$none" '^smp cpus 2$|^smp cpu' '^smp ok 2$' -- $(elf smp) -smp 2 -no-reboot
check smp.mb 1 "$none" '^smp ok 4$' -- $(mb smp) -smp 4 -append n=10000 -no-reboot
check smp-loop kill "$none" '^smp loop 1 stalled 0: [0-9]+ [0-9]+$' '^smp loop 2 stalled 0:' -- $(elf smp) -smp 2 -append loop=1
check mmio 1 "$none" '^mmio port-write-1 n=1000 ' '^mmio mmio-read-ring3 n=1000 ' '^mmio round 1 ok$' -- $(elf mmio) -append n=1000 -no-reboot
check fault 0 "$none" '^fault boot$' -- $(elf fault) -append after=20 -no-reboot
check fault-reboot kill "$none" '^fault boot$' '^fault boot$' '^fault boot$' -- $(elf fault)
check fault-kbd 0 "$none" '^fault boot$' -- $(mb fault) -append how=kbd -no-reboot
check fault-trap 7 "$none" '^guest TRAP vector 000000000000000e .* cr2 0000000200000000$' -- $(elf fault) -append how=trap -no-reboot
check net 5 "$none" '^net: no network card$' -- $(elf net) -no-reboot
check idle kill "$none" '^idle start' -- $(elf idle)
check spin-ring3 kill "$none" '^spin start ring=3' -- $(elf spin)
check spin-ring0 kill "$none" '^spin start ring=0' -- $(elf spin) -append ring=0
check realmode kill "$none" '^real mode ok$' '^real mode 1$' '^real mode 2$' -- -M pc -drive "format=raw,file=$images/realmode.bin,snapshot=on"
check pit kill "$none" '^pit ok$' '^pit 1$' '^pit 2$' -- -M pc -drive "format=raw,file=$images/pit.bin,snapshot=on"
}
[ "$failures" = 0 ]
