//! Small random histories, against a twin that tries all orders.

use squall::kernel::rng::{Dice, Purpose};
use squall::oracle::history::{Action, Call, EFFORT, Outcome, check};
use squall::oracle::linearizable::Verdict;

fn applied(state: &mut String, action: &Action) -> Outcome {
    match action {
        Action::Read => return Outcome::Saw(state.clone()),
        Action::Write(value) => state.clone_from(value),
        Action::Cas { from, .. } if state != from => return Outcome::Differed,
        Action::Cas { to, .. } => state.clone_from(to),
        Action::Append(value) => state.push_str(value),
    }
    Outcome::Done
}

/// What a real object does for concurrent clients; then, maybe, something is changed.
fn history(dice: &mut Dice, count: usize, clients: usize, with_appends: bool) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    let mut open: Vec<Option<(usize, Option<Outcome>)>> = vec![None; clients];
    let (mut state, mut position) = (String::new(), 0);
    while calls.len() < count || open.iter().any(Option::is_some) {
        let client = dice.below(clients as u64) as usize;
        match open[client].take() {
            None if calls.len() == count => {}
            None => {
                let value = |dice: &mut Dice| ["", "a", "b", "ab"][dice.below(4) as usize].to_owned();
                let action = match dice.below(if with_appends { 9 } else { 6 }) {
                    0..3 => Action::Read,
                    3 => Action::Write(value(dice)),
                    4 | 5 => Action::Cas { from: value(dice), to: value(dice) },
                    _ => Action::Append(value(dice)),
                };
                open[client] = Some((calls.len(), None));
                calls.push(Call { object: 0, action, outcome: Outcome::Unknown, invoked: position, returned: None });
                position += 1;
            }
            Some((_, None)) if dice.below(10) == 0 => {}
            Some((number, None)) => open[client] = Some((number, Some(applied(&mut state, &calls[number].action)))),
            Some((_, Some(_))) if dice.below(8) == 0 => {}
            Some((number, Some(outcome))) => {
                (calls[number].outcome, calls[number].returned) = (outcome, Some(position));
                position += 1;
            }
        }
    }
    calls
}

fn corrupt(calls: &mut [Call], dice: &mut Dice) {
    let call = &mut calls[dice.below(calls.len() as u64) as usize];
    match &mut call.outcome {
        Outcome::Saw(value) => *value = ["", "a", "b", "ab", "aba", "c"][dice.below(6) as usize].to_owned(),
        outcome @ Outcome::Differed => *outcome = Outcome::Done,
        outcome @ Outcome::Done if matches!(call.action, Action::Cas { .. }) => *outcome = Outcome::Differed,
        Outcome::Done => call.action = Action::Write("b".to_owned()),
        Outcome::Unknown => {}
    }
}

/// The first return up to which no order explains what is known by then.
fn first_bad_by_trying_all_orders(calls: &[Call]) -> Option<usize> {
    let mut returns: Vec<usize> = calls.iter().filter_map(|call| call.returned).collect();
    returns.sort_unstable();
    returns.into_iter().find(|end| {
        let known = calls.iter().filter(|call| call.invoked < *end).cloned();
        let mut known: Vec<Call> =
            known.map(|call| Call { returned: call.returned.filter(|at| at <= end), ..call }).collect();
        !some_order_explains("", &mut known)
    })
}

fn some_order_explains(state: &str, calls: &mut Vec<Call>) -> bool {
    let Some(deadline) = calls.iter().filter_map(|call| call.returned).min() else { return true };
    (0..calls.len()).any(|place| {
        if calls[place].invoked > deadline {
            return false;
        }
        let call = calls.remove(place);
        let mut after = state.to_owned();
        let given = applied(&mut after, &call.action);
        let explained = (call.returned.is_none() || given == call.outcome) && some_order_explains(&after, calls);
        calls.insert(place, call);
        explained
    })
}

#[test]
fn the_checker_agrees_with_trying_all_orders() {
    let (mut good, mut bad) = (0, 0);
    for (number, mut dice) in Dice::flock(7, Purpose::Faults, 0..12_000).enumerate() {
        let mut calls = history(&mut dice, 3 + number % 5, 2 + number / 2 % 3, number % 3 > 0);
        (0..number % 3).for_each(|_| corrupt(&mut calls, &mut dice));
        let expected = first_bad_by_trying_all_orders(&calls);
        // With next to no effort the search in depth decides as well, or nothing does.
        for effort in [EFFORT, 2_048, 64] {
            let finding = check(&calls, "", effort);
            if effort < EFFORT && finding.verdict == Verdict::Undecided {
                continue;
            }
            let first =
                finding.violation.as_ref().map(|violation| (calls[violation.call].returned, violation.is_first));
            let is_exact = first.is_none_or(|(_, is_first)| is_first);
            assert!(is_exact || effort < EFFORT, "history {number}: {calls:#?}");
            assert_eq!(first.is_some(), expected.is_some(), "history {number}, effort {effort}: {calls:#?}");
            assert!(
                !is_exact || first.and_then(|(at, _)| at) == expected,
                "history {number}, effort {effort}: {first:?} for {expected:?}: {calls:#?}"
            );
        }
        if expected.is_none() { good += 1 } else { bad += 1 }
    }
    assert!(good > 5_000 && bad > 2_000, "{good} good and {bad} bad histories prove little");
}
