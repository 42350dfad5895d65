# Jobs: how a command gets into an emulated host and its output out of it, over the exchange folder, which the machine and both
# hosts see under the same path. Sourced by scripts/testbed (on the machine) and on-host (inside a host) after common.sh.
#
#   jobs/H/ID/          command (a bash script), limit (seconds, 0 = none), then from the host: pid, stdout, stderr, status
#   jobs/H/queue/ID     an empty file, made last: the agent of host H takes it and runs the job

# submit_job EXCHANGE HOST LIMIT COMMAND...: the path of the job's folder in $job
submit_job() {
    local exchange=$1 host=$2 limit=$3; shift 3
    local id="${TESTBED_HOST:-m}.$BASHPID.$(microseconds)"
    job=$exchange/jobs/$host/$id
    mkdir "$job"
    {
        printf 'echo $$ > %q\n' "$job/pid.new"
        printf 'mv %q %q\n' "$job/pid.new" "$job/pid"
        printf 'exec'
        printf ' %q' "$@"
        printf '\n'
    } > "$job/command"
    printf '%s\n' "$limit" > "$job/limit"
    : > "$job/stdout"
    : > "$job/stderr"
    : > "$exchange/jobs/$host/queue/$id"
}

# follow_job LIMIT ALIVE: prints the job's output while it runs and returns its status.
# 124: the time limit passed; 125: the host is gone (the command ALIVE failed).
follow_job() {
    local limit=$1 alive=$2 sentinel status tail=(tail -q -f -n +1 -s 0.05) tails=() end round=0
    # Inside a host the other host's writes raise no inotify event.
    [[ ! ${TESTBED_HOST:-} ]] || tail+=(---disable-inotify)
    sleep $((limit + 60)) > /dev/null 2>&1 < /dev/null &
    sentinel=$!
    "${tail[@]}" --pid="$sentinel" "$job/stdout" & tails+=($!)
    "${tail[@]}" --pid="$sentinel" "$job/stderr" >&2 & tails+=($!)
    # The host enforces the limit itself; the margin is for its answer.
    end=$(($(seconds) + limit + 20))
    while :; do
        if [[ -e $job/status ]]; then status=$(< "$job/status"); break; fi
        if (( round++ % 10 == 9 )) && ! $alive; then
            nap 0.1
            if [[ -e $job/status ]]; then status=$(< "$job/status"); else status=125; warn "the host is gone, the command with it"; fi
            break
        fi
        if (( $(seconds) > end )); then status=124; warn "the host did not answer within $limit s"; break; fi
        nap 0.05
    done
    kill "$sentinel" 2> /dev/null || true
    wait "$sentinel" 2> /dev/null || true
    wait "${tails[@]}" 2> /dev/null || true
    return "$status"
}

# detached_job LIMIT: waits until the job has started and prints its process id and its folder.
detached_job() {
    local end=$(($(seconds) + $1))
    until [[ -e $job/pid ]]; do
        (( $(seconds) <= end )) || die "the host did not start the command within $1 s"
        nap 0.03
    done
    printf '%s %s\n' "$(< "$job/pid")" "$job"
}
