//! What GitHub would make of it.

use super::*;
use crate::report::suite::example::Example;
use std::iter::once;

/// What the runner reads of a line: the command, its properties, its message. As in the runner's own parser: a
/// command ends at the second `::`, its properties at commas.
fn read(line: &str) -> (String, Vec<(String, String)>, String) {
    let rest = line.strip_prefix("::").expect("a command");
    let (head, message) = rest.split_once("::").expect("an end of the command");
    let (command, properties) = head.split_once(' ').unwrap_or((head, ""));
    let plain = |text: &str| text.replace("%0D", "\r").replace("%0A", "\n").replace("%3A", ":").replace("%2C", ",");
    let plain = |text: &str| plain(text).replace("%25", "%");
    let pairs = properties.split(',').map(|pair| pair.split_once('=').expect("a property"));
    (command.to_owned(), pairs.map(|(name, value)| (name.to_owned(), plain(value))).collect(), plain(message))
}

#[test]
fn nasty_messages_stay_within_their_line() {
    let text = Example { scenario: "raft/a, b: c%", ..Example::nasty() }.tell(|suite| commands(&[suite.account()]));
    let lines: Vec<_> = text.lines().map(read).collect();
    let kinds: Vec<&str> = lines.iter().map(|(command, ..)| command.as_str()).collect();
    // Two groups and a stored run; one seed without a verdict.
    assert_eq!(kinds, ["error", "error", "error", "warning"], "{text}");
    let (_, properties, message) = &lines[0];
    assert_eq!(properties[0], ("file".to_owned(), "scenarios/raft/storm.ron".to_owned()));
    assert!(properties.len() == 2 && properties[1].1.starts_with("raft/a, b: c%: raft.election-safety-"));
    assert!(
        message.starts_with("seed 42: raft.election-safety is broken: n1 has \"<x>\" & ]]> 100%, n2: 'y', ::error::")
    );
    assert!(message.contains("; reproduce: squall run scenarios/raft/storm.ron --seed 42 --set 'a=\"b\"'\ngroup: "));
    assert!(!text.contains('\r') && text.ends_with('\n'));
}

#[test]
fn there_are_ten_of_a_kind_and_the_last_says_how_many_more() {
    let failing = |number: u64| {
        let sound = Example::sound(0..100);
        (0..number).fold(sound, |sweep, seed| sweep.broken(seed, &format!("x.a{}", (b'a' + seed as u8) as char), "n"))
    };
    let ten = failing(10).tell(|suite| commands(&[suite.account()]));
    assert_eq!(ten.lines().count(), 10);
    assert!(!ten.contains("more of these"));
    let many = failing(12).doubtful(50, "slow").tell(|suite| commands(&[suite.account(), suite.account()]));
    let (errors, warnings): (Vec<&str>, Vec<&str>) = many.lines().partition(|line| line.starts_with("::error "));
    assert_eq!((errors.len(), warnings.len()), (10, 2));
    assert_eq!(errors[9], "::error title=squall::15 more of these; the summary of the step and the report have them");
    assert_eq!(Example::sound(0..100).tell(|suite| commands(&[suite.account()])), "");
}

#[test]
fn the_page_is_a_table_that_nasty_messages_cannot_break() {
    let page = Example::nasty().tell(|suite| page(&[suite.account()]));
    let table: Vec<&str> = page.lines().filter(|line| line.starts_with('|')).collect();
    assert_eq!(table[2], "| ❌ | raft/storm | 1,000 | 996 | 3 | 1 |");
    assert_eq!(table.len(), 3, "{page}");
    assert!(page.starts_with("### squall: 0 of 1 scenario as expected\n\n| "));
    let says = "seed 42: raft.election-safety is broken: n1 has \"&lt;x&gt;\" &amp; \\]\\]&gt; 100%, n2: 'y', \
                ::error::\\|a\\|\\`b\\`\\|";
    assert!(page.contains(says), "{page}");
    assert!(!page.contains("@all"), "nobody is called: {page}");
    let command = "\n```sh\nsquall run scenarios/raft/storm.ron --seed 42 --set 'a=\"b\"'\n```\n";
    assert!(page.contains(command), "{page}");
    let sound = Example::sound(0..100).tell(|suite| super::page(&[suite.account(), suite.account()]));
    assert!(sound.starts_with("### squall: 2 of 2 scenarios as expected"));
    assert!(sound.contains("| ✅ | raft/storm | 100 | 100 | 0 | 0 |\n") && !sound.contains("```"));
    let part = Example { played: once(0..40).collect(), ..Example::sound(0..100) };
    assert!(
        part.tell(|suite| super::page(&[suite.account()]))
            .contains("| ⏳ | raft/storm | 40 (not complete) | 40 | 0 | 0 |")
    );
}

#[test]
fn a_fence_is_longer_than_what_it_holds() {
    assert_eq!(fenced("a"), "```sh\na\n```");
    assert_eq!(fenced("a ```` b"), "`````sh\na ```` b\n`````");
}
