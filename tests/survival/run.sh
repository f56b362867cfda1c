#!/usr/bin/env bash
# Do failing seeds survive changes of code? Applies each patch of this folder to a copy of the tree, plays the seeds
# that broke the museum's exhibits before, and tells how many still break the same invariant.
#
#   tests/survival/run.sh [PATCH...]     all patches, or these
#
#   SURVIVAL_COUNT   failing seeds of each scenario, 20
#   SURVIVAL_SEEDS   of how many seeds they are looked for, 5000
#   SURVIVAL_RARE    if set, the exhibits are planted where they show in at most a quarter of the seeds
#   SURVIVAL_AIM     fail below so many per cent, 80
#   SURVIVAL_DIR     where copies and builds go, target/survival
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
work=${SURVIVAL_DIR:-$root/target/survival}
patches=("$@")
[ $# -gt 0 ] || patches=("$here"/*.patch)

# A quick build: what is measured is which runs break, not how fast.
export CARGO_TARGET_DIR=$work/target CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
export CARGO_PROFILE_RELEASE_DEBUG=false

# A fresh copy of all files that are known to git or new, as they are now.
copy() {
    rm -rf "$work/tree"
    mkdir -p "$work/tree"
    (cd "$root" && git ls-files -z --cached --others --exclude-standard | tar -c --null --files-from=- --ignore-failed-read) |
        tar -x -C "$work/tree"
}

build() {
    cargo build --quiet --release --no-default-features --example survival --manifest-path "$work/tree/Cargo.toml" \
        2>"$work/build.log" || { cat "$work/build.log" >&2; return 1; }
}

survival() {
    "$CARGO_TARGET_DIR/release/examples/survival" "$@"
}

mkdir -p "$work"
copy
build
survival find "${SURVIVAL_COUNT:-20}" "${SURVIVAL_SEEDS:-5000}" ${SURVIVAL_RARE:+rare} >"$work/seeds"
survival again <"$work/seeds" >"$work/unpatched"
if ! awk '{ bad += $3 + $4 } END { exit bad > 0 }' "$work/unpatched"; then
    echo "without a patch, not every seed breaks what it broke before" >&2
    exit 1
fi

: >"$work/all"
printf '%-62s %6s %6s %6s %6s %8s\n' patch seeds same other none survive
for patch in "${patches[@]}"; do
    name=$(basename "$patch" .patch)
    patch=$(realpath "$patch")
    copy
    (cd "$work/tree" && patch --quiet -p1 --fuzz=2 <"$patch") || { echo "$name does not apply any more" >&2; exit 1; }
    build || { echo "$name does not build any more" >&2; exit 1; }
    survival again <"$work/seeds" | sed "s/^/$name /" | tee -a "$work/all" |
        awk '{ same += $3; other += $4; none += $5 }
            END { all = same + other + none
                printf "%-62s %6d %6d %6d %6d %7.1f%%\n", $1, all, same, other, none, 100 * same / all }'
done

# The chance is that of any seed: how many of those that were looked at broke something. Where it is high, to survive
# is no art.
printf '\n%-62s %6s %6s %6s %6s %8s %8s\n' exhibit plays same other none survive chance
awk 'NR == FNR { found[$1]++; looked[$1] = $4; next }
    { same[$2] += $3; other[$2] += $4; none[$2] += $5 }
    END { for (name in same) { all = same[name] + other[name] + none[name]
        printf "%-62s %6d %6d %6d %6d %7.1f%% %7.1f%%\n", name, all, same[name], other[name], none[name], \
            100 * same[name] / all, 100 * found[name] / looked[name] } }' "$work/seeds" "$work/all" | sort
awk -v aim="${SURVIVAL_AIM:-80}" '{ same += $3; other += $4; none += $5 }
    END { all = same + other + none
        printf "\n%-62s %6d %6d %6d %6d %7.1f%%\n", "all", all, same, other, none, 100 * same / all
        exit 100 * same < aim * all }' "$work/all"
