//! Conversations with one cluster: every `tests/interaction/*.txt` is commands and what the cluster
//! answered. `SQUALL_REWRITE=1` writes the answers anew; then read the difference as a story.
//!
//! Nothing happens here that the conversation does not ask for: it fires the timers, delivers each
//! message, completes each sync, and moves the clock. The oracle of the core listens and says
//! `VIOLATION` once, when it hears one.
//!
//! A file has comments (`#`), and blocks: commands, `----`, the answer, an empty line. Nodes are
//! called by number. The commands:
//!
//! - `cluster 3 pre_vote=true check_quorum=true append_max=1 inflight_max=2 disk=manual exhibits=a,b`: plain Raft
//!   with disks that sync at once, unless said otherwise; `spares=2`: further servers that may join;
//!   `always_joint=true`; `snapshot=4/1/2`: after 4 entries, of which 1 stays in the log, in parts of 2 units;
//!   `reads=index`, `reads=lease/500` (millionths of drift), `follower_reads=true`; `session_lifetime=500ms`; `quorums=flexible/4/2` (to
//!   elect, to commit), `quorums=weighted/3/1/1`;
//! - `log 2 = 1 1 4` and `term 2 = 7`: what a disk holds before the first start;
//! - `timeout 1`, `heartbeat 1`: a timer fires; `elect 1` is a timeout and all that follows from it, told in one
//!   line; `advance 200ms`: all clocks go on; `advance 200ms 2`: only that of n2;
//! - `propose 1 write x=5` (or `add x=5`, `cas x=5->6`, `read x`; `as c2`): a client asks a server;
//!   `retry 2`: the last request again, to another server;
//! - `deliver`: all in flight, until it is quiet; `deliver 1->2`, `deliver 1->* append`: what matches now;
//!   `deliver 1<->2`: between the two until it is quiet. `drop`, `duplicate`, `hold` take the same; `echo`
//!   holds a second copy of what is in flight; `release` lets go what is held;
//! - `sync 2`: its disk is done; `crash 2 keep=1`, `restart 2`; `isolate 1`, `cut 1->2`, `heal`;
//! - `join 4`, `leave 1`, `replace 3 by 4`, `transfer 2` (which then asks to lead): orders of an operator;
//! - `status` (a log that is compacted begins with the last entry that is gone, as `[3:1]`), `log 2`, `state 2`,
//!   `members 2`, `progress 1` (what a leader knows of the others), `flight`, `sizes`.

#![expect(clippy::disallowed_methods, reason = "a variable says whether to rewrite the answers")]

mod cluster;

mod files {
    use super::cluster::play;
    use std::path::{Path, PathBuf};
    use std::{env, fs};

    fn files() -> Vec<PathBuf> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interaction");
        let entries = fs::read_dir(folder).expect("the folder is there");
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
        files.sort();
        files
    }

    #[test]
    fn every_conversation_goes_as_it_is_written() {
        let rewrite = env::var_os("SQUALL_REWRITE").is_some();
        let mut different = Vec::new();
        for file in files() {
            let written = fs::read_to_string(&file).expect("it can be read");
            let played = play(&written);
            if played == written {
                continue;
            }
            if rewrite {
                fs::write(&file, &played).expect("it can be written");
            }
            let (line, (old, new)) = (1..)
                .zip(written.lines().chain(std::iter::repeat("")).zip(played.lines().chain([""])))
                .find(|(_, (old, new))| old != new)
                .unwrap_or((0, ("the end", "another end")));
            different.push(format!("{}:{line}\n  written: {old}\n  played:  {new}", file.display()));
        }
        let count = different.len();
        assert!(rewrite || count == 0, "{}\n{count} went otherwise; SQUALL_REWRITE=1", different.join("\n"));
    }

    /// What a file says of itself must hold of what is played: a sound cluster breaks nothing, and a
    /// command that could not be carried out is a mistake in the file.
    #[test]
    fn violations_come_exactly_where_a_defect_is_planted_or_a_promise_broken() {
        for file in files() {
            let text = fs::read_to_string(&file).expect("it can be read");
            let is_expected = text.contains("exhibits=") || text.contains("the bound does not hold");
            assert_eq!(text.contains("VIOLATION"), is_expected, "{}", file.display());
            assert!(!text.contains("\ncannot \""), "{} asks for what cannot be", file.display());
        }
    }
}
