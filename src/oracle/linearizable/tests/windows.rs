//! The window of a violation, against a twin that tries all orders from all states.

use super::super::recent::is_broken;
use super::super::search::Step;
use super::*;

/// A history as steps, positions being indices of events.
pub(super) fn steps(events: &[Event]) -> Vec<Step<Register>> {
    let mut steps = Vec::new();
    for (index, event) in events.iter().enumerate() {
        match *event {
            Invoked(_, operation) => {
                steps.push(Step { operation, answer: None, invoked: index, returned: usize::MAX });
            }
            Returned(operation, answer) => {
                (steps[operation].answer, steps[operation].returned) = (Some(answer), index);
            }
            Unknown(_) | Failed(_) => {}
        }
    }
    steps
}

/// Whether some order explains, from some state, what was invoked and has returned from an event on.
fn some_state_explains(steps: &[Step<Register>], from: usize) -> bool {
    let inside = steps.iter().filter(|step| step.returned >= from).map(|step| {
        let answer = step.answer.filter(|_| step.invoked >= from);
        let upto = if answer.is_some() { step.returned } else { usize::MAX };
        Span { asked: step.operation, from: step.invoked, upto, answer }
    });
    let mut inside: Vec<Span> = inside.collect();
    // Values and sums are small, and one that nobody has heard of stands for all others.
    (0..11).chain([1_000]).chain(u64::MAX - 5..=u64::MAX).any(|state| some_order_explains(state, &mut inside))
}

#[test]
fn a_window_is_broken_if_no_state_explains_it() {
    let (mut sound, mut broken) = (0, 0);
    for (number, mut dice) in Dice::flock(3, Purpose::Faults, 0..2_000).enumerate() {
        let mut events = history(&mut dice, 2 + number % 4, 2 + number / 2 % 3);
        let failed_swap = |event: &Event| matches!(event, Returned(_, Swapped(false)));
        (0..dice.below(3)).for_each(|_| corrupt(&mut events, &mut dice));
        events.retain(|event| !matches!(event, Failed(_)));
        let steps = steps(&events);
        for from in 0..events.len() {
            let is_explained = some_state_explains(&steps, from);
            let is_broken = is_broken(&steps, from);
            assert!(!is_broken || !is_explained, "history {number} from {from}: {events:?}");
            // That a swap failed says only what the state was not, which a window does not remember.
            let is_exact = !events.iter().any(failed_swap);
            assert!(is_broken || is_explained || !is_exact, "history {number} from {from}: {events:?}");
            if is_broken { broken += 1 } else { sound += 1 }
        }
    }
    assert!(sound > 5_000 && broken > 200, "{sound} sound and {broken} broken windows prove little");
}

#[test]
fn a_violation_is_told_by_the_fewest_of_the_latest_operations() {
    let mut told = 0;
    for (number, mut dice) in Dice::flock(4, Purpose::Faults, 0..5_000).enumerate() {
        let mut events = history(&mut dice, 3 + number % 9, 2 + number % 3);
        corrupt(&mut events, &mut dice);
        let mut checker = Checker::<Register>::new(0);
        let (mut ids, mut asked) = (Vec::new(), Vec::new());
        for event in &events {
            match *event {
                Invoked(_, operation) => {
                    asked.push(operation);
                    ids.push(checker.invoke(operation));
                }
                Returned(operation, answer) => {
                    let Err(violation) = checker.returned(ids[operation], answer) else { continue };
                    let window = violation.window;
                    assert!(window.len() <= 8, "history {number}: {window:?}");
                    assert!(
                        window.is_empty() || window.contains(&(asked[operation], answer)),
                        "history {number}: {window:?} does without the last of {events:?}"
                    );
                    told += usize::from(!window.is_empty());
                    break;
                }
                Unknown(operation) => checker.unknown(ids[operation]),
                Failed(operation) => {
                    if checker.failed(ids[operation]).is_err() {
                        break;
                    }
                }
            }
        }
    }
    assert!(told > 500, "{told} windows prove little");
}

#[test]
fn what_is_long_ago_is_not_in_the_window() {
    let mut operations = vec![(Write(5), Done); 20];
    operations.extend([(Write(1), Done), (Read, Value(1)), (Add(1), Value(2)), (Read, Value(1))]);
    let events = sequence(&operations);
    let mut checker = Checker::<Register>::new(0);
    let mut ids = Vec::new();
    let window = events.iter().find_map(|event| match *event {
        Invoked(_, operation) => {
            ids.push(checker.invoke(operation));
            None
        }
        Returned(operation, answer) => checker.returned(ids[operation], answer).err().map(|found| found.window),
        Unknown(_) | Failed(_) => None,
    });
    assert_eq!(window, Some(vec![(Add(1), Value(2)), (Read, Value(1))]));
}
