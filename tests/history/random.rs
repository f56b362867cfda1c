//! Small random histories, against a twin that tries all orders.

use squall::kernel::rng::{Dice, Purpose};
use squall::oracle::history::{Action, Call, EFFORT, Excerpt, Outcome, Part, check};
use squall::oracle::linearizable::Verdict;

/// What each object holds.
type State = Vec<String>;

/// What reads may be made to have seen.
const VALUES: [&str; 6] = ["", "a", "b", "ab", "aba", "c"];

fn applied(state: &mut State, part: &Part) -> Outcome {
    let state = &mut state[part.object];
    match &part.action {
        Action::Read => return Outcome::Saw(state.clone()),
        Action::Write(value) => state.clone_from(value),
        Action::Cas { from, .. } if state != from => return Outcome::Differed,
        Action::Cas { to, .. } => state.clone_from(to),
        Action::Append(value) => state.push_str(value),
    }
    Outcome::Done
}

/// What there is in a history.
#[derive(Clone, Copy, Debug)]
struct Shape {
    calls: usize,
    clients: usize,
    objects: usize,
    with_appends: bool,
    /// How much one call does at most.
    parts: usize,
}

fn part(dice: &mut Dice, shape: Shape) -> Part {
    let value = |dice: &mut Dice| ["", "a", "b", "ab"][dice.below(4) as usize].to_owned();
    let action = match dice.below(if shape.with_appends { 9 } else { 6 }) {
        0..3 => Action::Read,
        3 => Action::Write(value(dice)),
        4 | 5 => Action::Cas { from: value(dice), to: value(dice) },
        _ => Action::Append(value(dice)),
    };
    Part { object: dice.below(shape.objects as u64) as usize, action, outcome: Outcome::Unknown }
}

/// What real objects do for concurrent clients; then, maybe, something is changed.
fn history(dice: &mut Dice, shape: Shape) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    let mut open: Vec<Option<(usize, Option<Vec<Outcome>>)>> = vec![None; shape.clients];
    let (mut state, mut position) = (vec![String::new(); shape.objects], 0);
    while calls.len() < shape.calls || open.iter().any(Option::is_some) {
        let client = dice.below(shape.clients as u64) as usize;
        match open[client].take() {
            None if calls.len() == shape.calls => {}
            None => {
                let count = 1 + dice.below(shape.parts as u64);
                let parts = (0..count).map(|_| part(dice, shape)).collect();
                open[client] = Some((calls.len(), None));
                calls.push(Call { parts, invoked: position, returned: None });
                position += 1;
            }
            Some((_, None)) if dice.below(10) == 0 => {}
            Some((number, None)) => {
                let outcomes = calls[number].parts.iter().map(|part| applied(&mut state, part)).collect();
                open[client] = Some((number, Some(outcomes)));
            }
            Some((_, Some(_))) if dice.below(8) == 0 => {}
            Some((number, Some(outcomes))) => {
                let call = &mut calls[number];
                call.parts.iter_mut().zip(outcomes).for_each(|(part, outcome)| part.outcome = outcome);
                call.returned = Some(position);
                position += 1;
            }
        }
    }
    calls
}

fn corrupt(calls: &mut [Call], dice: &mut Dice) {
    let call = &mut calls[dice.below(calls.len() as u64) as usize];
    let place = dice.below(call.parts.len() as u64) as usize;
    let part = &mut call.parts[place];
    match &mut part.outcome {
        Outcome::Saw(value) => *value = VALUES[dice.below(6) as usize].to_owned(),
        outcome @ Outcome::Differed => *outcome = Outcome::Done,
        outcome @ Outcome::Done if matches!(part.action, Action::Cas { .. }) => *outcome = Outcome::Differed,
        Outcome::Done => part.action = Action::Write("b".to_owned()),
        Outcome::Unknown => {}
    }
}

/// The first return up to which no order explains what is known by then.
fn first_bad_by_trying_all_orders(calls: &[Call], objects: usize) -> Option<usize> {
    let mut returns: Vec<usize> = calls.iter().filter_map(|call| call.returned).collect();
    returns.sort_unstable();
    returns.into_iter().find(|end| {
        let known = calls.iter().filter(|call| call.invoked < *end).cloned();
        let mut known: Vec<Call> =
            known.map(|call| Call { returned: call.returned.filter(|at| at <= end), ..call }).collect();
        !some_order_explains(&vec![String::new(); objects], &mut known)
    })
}

fn some_order_explains(state: &State, calls: &mut Vec<Call>) -> bool {
    let Some(deadline) = calls.iter().filter_map(|call| call.returned).min() else { return true };
    (0..calls.len()).any(|place| {
        if calls[place].invoked > deadline {
            return false;
        }
        let call = calls.remove(place);
        let mut after = state.clone();
        let fits = call.parts.iter().fold(true, |fits, part| {
            let given = applied(&mut after, part);
            fits && (call.returned.is_none() || given == part.outcome)
        });
        let explained = fits && some_order_explains(&after, calls);
        calls.insert(place, call);
        explained
    })
}

/// All that somebody has seen or asked for, what that begins with, and a value that nobody knows.
fn values(calls: &[Call]) -> Vec<&str> {
    let mut values = vec!["z"];
    for part in calls.iter().flat_map(|call| &call.parts) {
        let whole = match (&part.action, &part.outcome) {
            (Action::Read, Outcome::Saw(text)) | (Action::Cas { from: text, .. }, _) => text,
            _ => continue,
        };
        values.extend((0..=whole.len()).map(|length| &whole[..length]));
    }
    values.sort_unstable();
    values.dedup();
    values
}

/// Whether some order explains what returned in a stretch, for some state at its beginning. What began before may have
/// taken effect before. `doubted` is a call of which nothing is known.
fn some_state_explains(calls: &[Call], from: usize, upto: usize, objects: usize, doubted: Option<usize>) -> bool {
    let inside = (0..).zip(calls).filter(|(_, call)| call.invoked <= upto && call.returned.is_none_or(|at| at >= from));
    let mut inside: Vec<Call> = inside
        .map(|(number, call)| {
            let is_known = call.invoked >= from && doubted != Some(number);
            Call { returned: call.returned.filter(|at| *at <= upto && is_known), ..call.clone() }
        })
        .collect();
    let values = values(calls);
    (0..values.len().pow(objects as u32)).any(|number| {
        let value = |object| values[number / values.len().pow(object as u32) % values.len()].to_owned();
        some_order_explains(&(0..objects).map(value).collect(), &mut inside)
    })
}

/// The excerpt is one, and neither end can be left out, nor any call of its core.
fn check_excerpt(calls: &[Call], excerpt: &Excerpt, bad: usize, objects: usize, told: &dyn Fn() -> String) {
    let Excerpt { from, upto, .. } = *excerpt;
    let explains = |from, upto, doubted| some_state_explains(calls, from, upto, objects, doubted);
    assert!(excerpt.is_shortest, "the effort is ample: {}", told());
    assert_eq!(calls[bad].returned, Some(upto), "it ends with what is bad: {}", told());
    assert!(calls.iter().any(|call| call.invoked == from), "it begins with an invocation: {}", told());
    assert!(excerpt.core.contains(&bad), "without the last there is no violation: {}", told());
    if excerpt.is_whole {
        assert!(explains(0, upto, None), "a later beginning would do: {}", told());
        return;
    }
    assert!(!explains(from, upto, None), "some state explains the excerpt: {}", told());
    assert!(explains(from + 1, upto, None), "it need not begin so early: {}", told());
    assert!(explains(from, upto - 1, None), "it need not end so late: {}", told());
    let mut core = calls.to_vec();
    for (number, call) in core.iter_mut().enumerate() {
        // What returned before is over, whatever is known of it.
        let is_over = call.returned.is_some_and(|at| at < from);
        call.returned = call.returned.filter(|_| is_over || excerpt.core.contains(&number));
    }
    assert!(!some_state_explains(&core, from, upto, objects, None), "some state explains the core: {}", told());
    for call in &excerpt.core {
        assert!(some_state_explains(&core, from, upto, objects, Some(*call)), "the core is too large: {}", told());
    }
}

/// How many histories were good and bad.
fn compare(stream: u64, count: u64, shape: impl Fn(usize) -> Shape) -> (usize, usize) {
    let (mut good, mut bad) = (0, 0);
    for (number, mut dice) in Dice::flock(stream, Purpose::Faults, 0..count).enumerate() {
        let shape = shape(number);
        let mut calls = history(&mut dice, shape);
        (0..number % 3).for_each(|_| corrupt(&mut calls, &mut dice));
        let expected = first_bad_by_trying_all_orders(&calls, shape.objects);
        // With next to no effort the search in depth decides as well, or nothing does.
        for effort in [EFFORT, 2_048, 64] {
            let finding = check(&calls, "", effort);
            if effort < EFFORT && finding.verdict == Verdict::Undecided {
                continue;
            }
            let first =
                finding.violation.as_ref().map(|violation| (calls[violation.call].returned, violation.is_first));
            let is_exact = first.is_none_or(|(_, is_first)| is_first);
            let told = || format!("history {number}, effort {effort}: {finding:#?} {calls:#?}");
            assert!(is_exact || effort < EFFORT, "{}", told());
            assert_eq!(first.is_some(), expected.is_some(), "{}", told());
            assert!(!is_exact || first.and_then(|(at, _)| at) == expected, "{expected:?}: {}", told());
            if let Some(violation) = finding.violation.as_ref().filter(|_| effort == EFFORT) {
                let excerpt = violation.excerpt.as_ref().unwrap_or_else(|| panic!("{}", told()));
                // With many calls or objects there is too much to try.
                if shape.objects < 3 && calls.len() < 7 {
                    check_excerpt(&calls, excerpt, violation.call, shape.objects, &told);
                }
            }
        }
        if expected.is_none() { good += 1 } else { bad += 1 }
    }
    (good, bad)
}

#[test]
fn the_checker_agrees_with_trying_all_orders() {
    let (good, bad) = compare(7, 12_000, |number| Shape {
        calls: 3 + number % 5,
        clients: 2 + number / 2 % 3,
        objects: 1,
        with_appends: number % 3 > 0,
        parts: 1,
    });
    assert!(good > 5_000 && bad > 2_000, "{good} good and {bad} bad histories prove little");
}

#[test]
fn what_is_done_to_several_objects_at_one_instant_is_judged_as_by_trying_all_orders() {
    let (good, bad) = compare(8, 12_000, |number| Shape {
        calls: 3 + number % 4,
        clients: 2 + number / 2 % 3,
        objects: 2 + number / 4 % 2,
        with_appends: number % 3 > 0,
        parts: 1 + number / 8 % 3,
    });
    assert!(good > 5_000 && bad > 2_000, "{good} good and {bad} bad histories prove little");
}
