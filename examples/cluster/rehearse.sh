#!/usr/bin/env bash
# A rehearsal of these examples on one machine: nothing in them is taken on trust.
#
#   examples/cluster/rehearse.sh             whatever is installed
#   examples/cluster/rehearse.sh slurm       a Slurm of one node on loopback
#   examples/cluster/rehearse.sh parallel    GNU parallel
#
# A sweep is played three times: as a whole, as an array of Slurm tasks, and by GNU parallel. On the way, tasks are
# requeued, run out of time, and are terminated; all of them go on where they were. Then the parts are merged, and every
# file of that must be the one of the whole, to the last byte: the journal, the summary, the reports, the stored runs.
#
# On Debian: apt-get install --no-install-recommends slurm-wlm munge parallel. Slurm's daemons run with a
# configuration, keys, ports and folders of their own below a temporary folder, and end with the script. Slurm needs
# root here, as in a container.
#
# SQUALL: the program, by default target/release/squall, which is built. SEEDS, SHARDS, SCENARIO: what is swept.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
SEEDS=${SEEDS:-0..40000}
SHARDS=${SHARDS:-4}
SCENARIO=${SCENARIO:-$root/scenarios/museum/vote-quorum-third.ron}
export SEEDS SCENARIO

say() { printf '\n== %s\n' "$*"; }
fail() {
    printf 'rehearsal failed: %s\n' "$*" >&2
    exit 1
}

# Waits until a command succeeds; says what was waited for if it does not within a minute or so.
until_true() {
    local what=$1
    shift
    for _ in $(seq 600); do
        if "$@" >/dev/null 2>&1; then return; fi
        sleep 0.1
    done
    fail "waited in vain until $what"
}

# An exit code of squall that says that the sweep itself went well: all held, or something broke.
is_verdict() { [ "$1" = 0 ] || [ "$1" = 100 ]; }

lines() { wc -l <"$1/journal.jsonl" 2>/dev/null || echo 0; }

# A shard that is under way: some of its seeds are in the journal, and many are not.
is_under_way() { [ "$(lines "$1")" -ge 5 ] && [ "$(lines "$1")" -lt "$((PER_SHARD - 50))" ]; }

whole() {
    say "the whole sweep, seeds $SEEDS of $(basename "$SCENARIO")"
    local code=0
    "$SQUALL" sweep "$SCENARIO" --seeds "$SEEDS" --out "$work/whole" || code=$?
    is_verdict "$code" || fail "the whole sweep ended with $code"
}

# Merges the parts in a folder, in an order that is not that of the seeds, and compares.
merge_and_compare() {
    local what=$1 parts=$2 code=0
    say "merge of $what"
    mapfile -t folders < <(find "$parts" -mindepth 1 -maxdepth 1 -type d | sort -r)
    [ "${#folders[@]}" = "$SHARDS" ] || fail "$parts has ${#folders[@]} folders instead of $SHARDS"
    "$SQUALL" merge "${folders[@]}" --out "$parts.merged" || code=$?
    is_verdict "$code" || fail "the merge ended with $code"
    diff -r "$work/whole" "$parts.merged" || fail "$what did not come to what the whole sweep came to"
    echo "every file of $what, merged, is that of the whole sweep:"
    (cd "$parts.merged" && wc -c ./*.* && find failures -type f | wc -l | sed 's/$/ stored runs/')
}

# ---------------------------------------------------------------------------------------------------- Slurm

daemons=()

end_daemons() {
    if [ "${#daemons[@]}" -gt 0 ]; then kill "${daemons[@]}" 2>/dev/null || true; fi
    # slurmd leaves its shepherds of steps to themselves; they end with their jobs.
    wait 2>/dev/null || true
}

start_slurm() {
    say "a Slurm of one node, in $work/slurm"
    [ "$(id -u)" = 0 ] || fail "Slurm's daemon can only start tasks as root; run this in a container"
    local slurm=$work/slurm host port
    host=$(hostname)
    port=$((20000 + $$ % 20000))
    mkdir -p "$slurm"/{state,spool,munge}
    # munged trusts no folder that others could write to, and clients must be able to reach its socket.
    chmod 755 "$work" "$slurm"
    chmod 711 "$slurm/munge"
    (umask 077 && head -c 1024 /dev/urandom >"$slurm/munge.key")
    cat >"$slurm/slurm.conf" <<CONF
ClusterName=rehearsal
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# A requeued task waits until its old credential has expired, by default for two minutes.
AuthInfo=socket=$slurm/munge/socket,cred_expire=5
StateSaveLocation=$slurm/state
SlurmdSpoolDir=$slurm/spool
SlurmctldPidFile=$slurm/slurmctld.pid
SlurmdPidFile=$slurm/slurmd.pid
SlurmctldLogFile=$slurm/slurmctld.log
SlurmdLogFile=$slurm/slurmd.log
# Neither cgroups nor accounting: a container may have neither.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=2,batch_sched_delay=1
ReturnToService=2
# What is requeued may begin again at once, and a task that ignores SIGTERM is killed soon.
KillWait=10
MinJobAge=600
# As many tasks at once as the example has shards, whatever this machine has.
SlurmdParameters=config_overrides
NodeName=$host NodeAddr=127.0.0.1 CPUs=$SHARDS State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
    export SLURM_CONF=$slurm/slurm.conf
    munged --foreground --force --key-file="$slurm/munge.key" --socket="$slurm/munge/socket" \
        --pid-file="$slurm/munge/pid" --log-file="$slurm/munge/log" --seed-file="$slurm/munge/seed" \
        >"$slurm/munged.out" 2>&1 &
    daemons+=($!)
    until_true "munged answers" munge --no-input --socket="$slurm/munge/socket"
    slurmctld -D -i >"$slurm/slurmctld.out" 2>&1 &
    daemons+=($!)
    slurmd -D -N "$host" >"$slurm/slurmd.out" 2>&1 &
    daemons+=($!)
    until_true "the node is idle (see $slurm/*.log)" node_is idle
    sinfo
}

node_is() { sinfo --noheader --format=%T | grep -qx "$1"; }

task() { squeue --noheader --states=all --format="$2" --jobs="$1" 2>/dev/null | sort -u; }
task_is() { [ "$(task "$1" %T)" = "$2" ]; }
array_is_done() { ! squeue --noheader --states=all --format=%T --jobs="$1" | grep -qv -e COMPLETED -e FAILED; }

rehearse_slurm() {
    start_slurm
    say "an array of $SHARDS tasks"
    export OUT=$work/slurm.parts SQUALL
    local array logs=$work/slurm/logs code
    mkdir -p "$OUT" "$logs"
    array=$(sbatch --parsable --array="1-$SHARDS" --output="$logs/%a" "$here/sweep.sbatch")

    until_true "task 1 is under way" is_under_way "$OUT/shard-1"
    echo "task 1 is requeued after $(lines "$OUT/shard-1") seeds"
    scontrol requeue "${array}_1"

    until_true "task 2 is under way" is_under_way "$OUT/shard-2"
    echo "task 2 is told to end after $(lines "$OUT/shard-2") seeds"
    scancel --batch --signal=TERM "${array}_2"

    until_true "task 3 is under way" is_under_way "$OUT/shard-3"
    echo "task 3 is told that its time is nearly up after $(lines "$OUT/shard-3") seeds"
    scancel --batch --signal=USR1 "${array}_3"

    # Slurm calls a task with any code but 0 failed.
    until_true "task 2 has ended" task_is "${array}_2" FAILED
    code=$(scontrol show job "${array}_2" | grep -o 'ExitCode=[0-9]*')
    [ "$code" = ExitCode=143 ] || fail "task 2 ended with $code instead of 143, see $logs/2"
    echo "task 2 ended with 143 after $(lines "$OUT/shard-2") seeds, and is requeued"
    scontrol requeue "${array}_2"

    until_true "the array is done" array_is_done "$array"
    for shard in 1 2 3; do
        grep -h "goes on after" "$logs/$shard" || fail "task $shard began anew, see $logs/$shard"
    done
    squeue --states=all --jobs="$array" --format="%10i %10T %r"
    merge_and_compare "the array" "$OUT"
}

# ---------------------------------------------------------------------------------------------------- GNU parallel

# Sends a signal to the process of squall that writes to a folder.
signal() {
    local process
    process=$(ps -eo pid=,args= | awk -v program="$SQUALL" -v out="--out $2 " '$2 == program && index($0, out) { print $1 }')
    [ "$process" ] || fail "nobody writes to $2 any more; choose more SEEDS"
    kill "-$1" "$process"
}

rehearse_parallel() {
    say "$SHARDS jobs of GNU parallel"
    export OUT=$work/parallel.parts SQUALL SHARDS
    local log=$work/parallel.log code=0
    mkdir -p "$OUT"
    "$here/parallel.sh" --jobs "$SHARDS" >"$log" 2>&1 &
    local script=$!

    until_true "job 1 is under way" is_under_way "$OUT/shard-1"
    echo "job 1 is killed after $(lines "$OUT/shard-1") seeds"
    signal KILL "$OUT/shard-1"
    until_true "job 2 is under way" is_under_way "$OUT/shard-2"
    echo "job 2 is told to end after $(lines "$OUT/shard-2") seeds"
    signal TERM "$OUT/shard-2"

    wait "$script" || code=$?
    [ "$code" = 3 ] || fail "with two jobs cut short the merge ended with $code instead of 3, see $log"
    echo "the others went on; the merge ended with 3:"
    tail -n 3 "$log"

    echo "once more:"
    rm -rf "$OUT.merged"
    code=0
    "$here/parallel.sh" --jobs "$SHARDS" >"$log" 2>&1 || code=$?
    is_verdict "$code" || fail "the second time it ended with $code, see $log"
    for shard in 1 2; do
        grep "goes on after" "$log" | grep "^$shard" || fail "job $shard began anew, see $log"
    done
    rm -rf "$OUT.merged"
    merge_and_compare "the jobs" "$OUT"
}

# ---------------------------------------------------------------------------------------------------- all

is_installed() { command -v "$1" >/dev/null; }

if [ -z "${SQUALL:-}" ]; then
    (cd "$root" && cargo build --release --quiet)
    SQUALL=${CARGO_TARGET_DIR:-$root/target}/release/squall
fi
PER_SHARD=$(((${SEEDS#*..} - ${SEEDS%..*}) / SHARDS))
wanted=("$@")
if [ $# = 0 ]; then
    if is_installed slurmctld && is_installed munged && [ "$(id -u)" = 0 ]; then wanted+=(slurm); fi
    if is_installed parallel; then wanted+=(parallel); fi
    [ "${#wanted[@]}" -gt 0 ] || fail "neither Slurm nor GNU parallel is installed"
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/squall-rehearsal.XXXXXX")
end() {
    local code=$?
    end_daemons
    # What went wrong can be looked at.
    if [ "$code" = 0 ]; then rm -rf "$work"; else echo "everything is in $work" >&2; fi
}
trap end EXIT
cd "$work"
# Whoever builds meanwhile does not change what is played.
cp "$SQUALL" "$work/squall"
SQUALL=$work/squall

whole
for each in "${wanted[@]}"; do
    case $each in
        slurm) rehearse_slurm ;;
        parallel) rehearse_parallel ;;
        *) fail "$each: say slurm or parallel" ;;
    esac
done
say "all is well"
