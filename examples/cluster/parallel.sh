#!/usr/bin/env bash
# A sweep by GNU parallel, a shard a job: on the cores of this machine, or on those of others.
#
#   SCENARIO=my.ron SEEDS=0..1000000 OUT=my-sweep ./parallel.sh
#   SCENARIO=my.ron SEEDS=0..1000000 OUT=/shared/my-sweep ./parallel.sh --sshlogin 8/alpha,8/beta --workdir .
#
# (For the cores of one machine alone, squall sweep --jobs N does the same, without shards.)
# After whatever has gone wrong, run it again: each shard goes on where it was, and those that are done say so at once.
set -u

SQUALL=${SQUALL:-squall}
SCENARIO=${SCENARIO:?the scenario file}
SEEDS=${SEEDS:?the seeds of the whole sweep, for example 0..1000000}
OUT=${OUT:?a folder that every machine sees}
SHARDS=${SHARDS:-8}

# Parallel numbers its jobs from 1, but cannot say how many there will be: auto/8, not auto.
# Asked to end twice, it ends its jobs: by default it kills them after a third of a second. A minute lets squall finish
# the seeds under way and write its reports.
seq "$SHARDS" | parallel "$@" --line-buffer --tag --termseq TERM,60000,KILL,25 \
    "$SQUALL" sweep "$SCENARIO" --seeds "$SEEDS" --shard "auto/$SHARDS" --out "$OUT/shard-{}" --resume --jobs 1

# Its exit code is the number of jobs that ended with any other than 0, and 100 is a verdict, not an accident. So what
# counts is what the parts come to together; if one is missing, squall says so (3), and how to play it.
exec "$SQUALL" merge "$OUT"/shard-* --out "$OUT.merged"
