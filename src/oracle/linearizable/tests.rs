//! Against a twin that tries all orders, and by hand.

use super::register::{Answer, Operation, Register};
use super::window::SLOTS;
use super::*;
use crate::kernel::rng::{Dice, Purpose};
use Answer::{Done, Swapped, Value};
use Operation::{Add, Cas, Read, Write};

mod depth;
mod several;
mod windows;

/// What happens to an operation, by its number in the history.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Event {
    Invoked(usize, Operation),
    Returned(usize, Answer),
    Unknown(usize),
    Failed(usize),
}
use Event::{Failed, Invoked, Returned, Unknown};

/// The index of the first event without an explanation, if there is one.
fn first_bad(events: &[Event]) -> Option<usize> {
    first_bad_foretold(events, false)
}

fn first_bad_foretold(events: &[Event], foretold: bool) -> Option<usize> {
    let mut checker = Checker::<Register>::new(0);
    let mut ids = Vec::new();
    for (index, event) in events.iter().enumerate() {
        let explained = match *event {
            Invoked(operation, asked) => {
                assert_eq!(operation, ids.len(), "operations are numbered in order");
                ids.push(checker.invoke(asked));
                if let Some((at, answer)) = answer_to(operation, events).filter(|_| foretold) {
                    checker.foretell(ids[operation], answer, at);
                }
                true
            }
            Returned(operation, answer) => checker.returned(ids[operation], answer).is_ok(),
            Unknown(operation) => {
                checker.unknown(ids[operation]);
                true
            }
            Failed(operation) => checker.failed(ids[operation]).is_ok(),
        };
        if !explained {
            assert_eq!(checker.verdict(), Verdict::NotLinearizable);
            return Some(index);
        }
        assert_eq!(checker.verdict(), Verdict::Linearizable, "the budget is ample");
    }
    None
}

fn answer_to(asked: usize, events: &[Event]) -> Option<(u64, Answer)> {
    (0..).zip(events).find_map(|(at, event)| match event {
        Returned(operation, answer) if *operation == asked => Some((at, *answer)),
        _ => None,
    })
}

/// The twin: tries all orders, for each prefix anew.
fn first_bad_by_trying_all_orders(events: &[Event]) -> Option<usize> {
    (0..events.len()).find(|last| {
        let mut operations = Vec::new();
        for (index, event) in events[..=*last].iter().enumerate() {
            match *event {
                Invoked(_, asked) => operations.push(Span { asked, from: index, upto: usize::MAX, answer: None }),
                Returned(operation, answer) => {
                    (operations[operation].upto, operations[operation].answer) = (index, Some(answer));
                }
                Unknown(_) => {}
                // Never later than before it was asked for.
                Failed(operation) => operations[operation].from = usize::MAX,
            }
        }
        operations.retain(|operation| operation.from != usize::MAX);
        !some_order_explains(0, &mut operations)
    })
}

struct Span {
    asked: Operation,
    from: usize,
    upto: usize,
    answer: Option<Answer>,
}

fn some_order_explains(state: u64, operations: &mut Vec<Span>) -> bool {
    if operations.iter().all(|operation| operation.answer.is_none()) {
        return true;
    }
    let deadline = operations.iter().map(|operation| operation.upto).min().expect("one has returned");
    (0..operations.len()).any(|place| {
        if operations[place].from > deadline {
            return false;
        }
        let operation = operations.remove(place);
        let mut after = state;
        let given = Register::apply(&mut after, &operation.asked);
        let explained = operation.answer.is_none_or(|answer| answer == given) && some_order_explains(after, operations);
        operations.insert(place, operation);
        explained
    })
}

/// What a real register does for concurrent clients, some of which never hear of it.
fn history(dice: &mut Dice, operation_count: usize, clients: usize) -> Vec<Event> {
    let mut events = Vec::new();
    // Each client's operation, and the answer once it has taken effect.
    let mut asked: Vec<Option<(usize, Operation, Option<Answer>)>> = vec![None; clients];
    // Operations that may still take effect though their clients have gone.
    let mut lost = Vec::new();
    let (mut state, mut invoked) = (0, 0);
    let updates = dice.below(3);
    while invoked < operation_count || asked.iter().any(Option::is_some) {
        let client = &mut asked[dice.below(clients as u64) as usize];
        match *client {
            None if invoked == operation_count => {}
            None => {
                let (a, b) = (dice.below(3), dice.below(3));
                let operations = [Add(1), Cas { from: a, to: b }, Write(a), Write(b), Read, Read, Write(a), Read];
                // Some histories without updates: much is postponed there.
                let operation = operations[(updates + dice.below(8 - updates)) as usize];
                *client = Some((invoked, operation, None));
                events.push(Invoked(invoked, operation));
                invoked += 1;
            }
            Some((number, operation, None)) => match dice.below(8) {
                0 => {
                    events.push(Unknown(number));
                    lost.push(operation);
                    *client = None;
                }
                1 => {
                    events.push(Failed(number));
                    *client = None;
                }
                _ => *client = Some((number, operation, Some(Register::apply(&mut state, &operation)))),
            },
            Some((number, _, Some(answer))) => {
                events.push(if dice.below(8) == 0 { Unknown(number) } else { Returned(number, answer) });
                *client = None;
            }
        }
        if !lost.is_empty() && dice.below(6) == 0 {
            Register::apply(&mut state, &lost.remove(0));
        }
    }
    events
}

fn corrupt(events: &mut [Event], dice: &mut Dice) {
    let completed: Vec<usize> = (0..events.len()).filter(|index| !matches!(events[*index], Invoked(..))).collect();
    let event = &mut events[completed[dice.below(completed.len() as u64) as usize]];
    match event {
        Returned(_, Value(value)) => *value = dice.below(5),
        Returned(_, Swapped(swapped)) => *swapped = !*swapped,
        Returned(operation, Done) | Unknown(operation) => *event = Failed(*operation),
        Failed(operation) => *event = Unknown(*operation),
        Invoked(..) => unreachable!("only completions are chosen"),
    }
}

#[test]
fn the_checker_agrees_with_trying_all_orders() {
    let (mut good, mut bad) = (0, 0);
    for (number, mut dice) in Dice::flock(1, Purpose::Faults, 0..60_000).enumerate() {
        let clients = 2 + number / 2 % 4;
        let mut events = history(&mut dice, 2 + number % 5, clients);
        if number % 2 == 0 {
            assert_eq!(first_bad(&events), None, "a real register did this: {events:?}");
        } else {
            (0..1 + dice.below(3)).for_each(|_| corrupt(&mut events, &mut dice));
        }
        let expected = first_bad_by_trying_all_orders(&events);
        assert_eq!(first_bad(&events), expected, "history {number}: {events:?}");
        let foretold = first_bad_foretold(&events, true);
        assert_eq!(foretold.is_some(), expected.is_some(), "history {number}: {events:?}");
        assert!(foretold <= expected, "foretold answers delay the verdict");
        if expected.is_none() { good += 1 } else { bad += 1 }
    }
    assert!(good > 30_000 && bad > 10_000, "{good} good and {bad} bad histories prove little");
}

/// Operations one after the other.
fn sequence(operations: &[(Operation, Answer)]) -> Vec<Event> {
    let events =
        |(number, (asked, answer)): (usize, &(Operation, Answer))| [Invoked(number, *asked), Returned(number, *answer)];
    operations.iter().enumerate().flat_map(events).collect()
}

#[test]
fn a_stale_read_is_found_when_it_returns() {
    let stale = sequence(&[(Write(1), Done), (Write(2), Done), (Read, Value(1))]);
    assert_eq!(first_bad(&stale), Some(5));
    // While the second write is pending it is not stale.
    let concurrent = [
        Invoked(0, Write(1)),
        Returned(0, Done),
        Invoked(1, Write(2)),
        Invoked(2, Read),
        Returned(1, Done),
        Returned(2, Value(1)),
    ];
    assert_eq!(first_bad(&concurrent), None);
}

#[test]
fn a_value_once_seen_does_not_go_away_again() {
    let flicker =
        [Invoked(0, Write(1)), Invoked(1, Read), Returned(1, Value(1)), Invoked(2, Read), Returned(2, Value(0))];
    assert_eq!(first_bad(&flicker), Some(4));
}

#[test]
fn two_reads_may_disagree_about_two_writes_but_not_about_their_order() {
    let prefix = [Invoked(0, Write(1)), Invoked(1, Write(2)), Invoked(2, Read), Invoked(3, Read)];
    let first = [Returned(2, Value(1)), Returned(3, Value(2)), Invoked(4, Read)];
    let events = |last| [&prefix[..], &first, &[Returned(4, Value(last))]].concat();
    assert_eq!(first_bad(&events(1)), None);
    assert_eq!(first_bad(&events(2)), None);
    assert_eq!(first_bad(&events(0)), Some(7));
    let mut settled = events(2);
    settled.extend([Returned(0, Done), Returned(1, Done), Invoked(5, Read), Returned(5, Value(1))]);
    assert_eq!(first_bad(&settled), Some(11));
}

#[test]
fn a_lost_update_is_found_by_the_sum() {
    assert_eq!(first_bad(&sequence(&[(Add(1), Value(1)), (Add(1), Value(1))])), Some(3));
    let concurrent = [Invoked(0, Add(1)), Invoked(1, Add(1)), Returned(1, Value(1)), Returned(0, Value(1))];
    assert_eq!(first_bad(&concurrent), Some(3));
}

#[test]
fn an_addition_that_took_effect_twice_is_found() {
    assert_eq!(first_bad(&sequence(&[(Add(1), Value(1)), (Read, Value(2))])), Some(3));
    // An unknown one takes effect once, not once for each who looks.
    let unknown = [
        Invoked(0, Add(1)),
        Unknown(0),
        Invoked(1, Read),
        Returned(1, Value(1)),
        Invoked(2, Read),
        Returned(2, Value(2)),
    ];
    assert_eq!(first_bad(&unknown), Some(5));
}

#[test]
fn a_sum_seen_by_others_is_the_sum_that_must_be_answered() {
    let events = |sum| {
        [
            Invoked(0, Add(5)),
            Invoked(1, Read),
            Returned(1, Value(5)),
            Invoked(2, Write(7)),
            Returned(2, Done),
            Returned(0, Value(sum)),
        ]
    };
    assert_eq!(first_bad(&events(5)), None);
    assert_eq!(first_bad(&events(12)), Some(5));
}

#[test]
fn of_two_swaps_from_one_value_one_wins() {
    let cas = |to| Cas { from: 0, to };
    let events = |second| [Invoked(0, cas(1)), Invoked(1, cas(2)), Returned(0, Swapped(true)), Returned(1, second)];
    assert_eq!(first_bad(&events(Swapped(true))), Some(3));
    assert_eq!(first_bad(&events(Swapped(false))), None);
    assert_eq!(first_bad(&sequence(&[(cas(1), Swapped(false))])), Some(1));
}

#[test]
fn an_unknown_write_may_take_effect_late() {
    let mut events = vec![Invoked(0, Write(9)), Unknown(0), Invoked(1, Write(1)), Returned(1, Done)];
    events.extend([Invoked(2, Read), Returned(2, Value(1)), Invoked(3, Read), Returned(3, Value(9))]);
    assert_eq!(first_bad(&events), None);
}

#[test]
fn an_unknown_write_is_not_seen_again_after_another_write() {
    let mut events = vec![Invoked(0, Write(9)), Unknown(0), Invoked(1, Read), Returned(1, Value(9))];
    events.extend([Invoked(2, Write(1)), Returned(2, Done), Invoked(3, Read), Returned(3, Value(9))]);
    assert_eq!(first_bad(&events), Some(7));
}

#[test]
fn two_unknown_writes_of_one_value_are_seen_twice_but_not_thrice() {
    let mut events = vec![Invoked(0, Write(9)), Unknown(0), Invoked(1, Write(9)), Unknown(1)];
    for number in [2, 4, 6] {
        events.extend([Invoked(number, Read), Returned(number, Value(9))]);
        events.extend([Invoked(number + 1, Write(1)), Returned(number + 1, Done)]);
    }
    assert_eq!(first_bad(&events), Some(13));
}

/// The first write leads away from what the swap expects, the second back.
#[test]
fn an_overwrite_by_the_same_value_can_hide_what_a_read_saw() {
    let mut events = vec![Invoked(0, Write(1)), Unknown(0), Invoked(1, Write(0)), Unknown(1), Invoked(2, Read)];
    events.extend([Invoked(3, Cas { from: 0, to: 2 }), Returned(3, Swapped(true)), Returned(2, Value(1))]);
    events.extend([Invoked(4, Read), Returned(4, Value(2))]);
    assert_eq!(first_bad(&events), None);
}

#[test]
fn a_write_that_was_seen_cannot_have_failed() {
    let mut events = vec![Invoked(0, Write(9)), Invoked(1, Read), Returned(1, Value(9)), Failed(0)];
    assert_eq!(first_bad(&events), Some(3));
    events[2] = Returned(1, Value(0));
    assert_eq!(first_bad(&events), None);
    events.extend([Invoked(2, Read), Returned(2, Value(9))]);
    assert_eq!(first_bad(&events), Some(5));
}

#[test]
fn a_write_is_not_asked_to_answer_a_number() {
    assert_eq!(first_bad(&sequence(&[(Write(1), Value(1))])), Some(1));
    assert_eq!(first_bad(&[Invoked(0, Write(1)), Invoked(1, Read), Returned(0, Value(1))]), Some(2));
}

#[test]
fn the_violation_says_what_was_asked_and_what_was_possible() {
    let mut checker = Checker::<Register>::new(0);
    let lost = checker.invoke(Write(4));
    let (left, right) = (checker.invoke(Write(1)), checker.invoke(Write(2)));
    checker.unknown(lost);
    checker.returned(right, Done).expect("fine");
    checker.returned(left, Done).expect("fine");
    let read = checker.invoke(Read);
    let _also_pending = checker.invoke(Add(1));
    let violation = checker.returned(read, Value(7)).expect_err("nobody wrote 7");
    let told = "Read cannot have answered Value(7); the state before was 2 or 1; \
                still pending: Write(4) (outcome unknown), Add(1); \
                whatever was before, no order explains Write(2) = Done, Read = Value(7)";
    assert_eq!(violation.to_string(), told);
    assert_eq!(checker.verdict(), Verdict::NotLinearizable);
    // It is said once.
    let after = checker.invoke(Read);
    assert!(checker.returned(after, Value(8)).is_ok());
}

#[test]
#[should_panic(expected = "operation 0 is not pending")]
fn an_operation_returns_once() {
    let mut checker = Checker::<Register>::new(0);
    let first = checker.invoke(Read);
    checker.returned(first, Value(0)).expect("fine");
    let _second = checker.invoke(Read);
    let _ = checker.returned(first, Value(0));
}

#[test]
fn too_many_pending_operations_leave_it_undecided() {
    let mut checker = Checker::<Register>::new(0);
    (0..SLOTS).for_each(|_| {
        checker.invoke(Add(1));
    });
    assert_eq!(checker.verdict(), Verdict::Linearizable);
    let one_more = checker.invoke(Read);
    assert_eq!(checker.verdict(), Verdict::Undecided);
    assert!(checker.returned(one_more, Value(1_000)).is_ok());
}

#[test]
fn a_hundred_unknown_writes_do_no_harm() {
    let mut checker = Checker::<Register>::new(0);
    for value in 1..=100 {
        let lost = checker.invoke(Write(value));
        checker.unknown(lost);
    }
    for round in 0..1_000 {
        let (write, read) = (checker.invoke(Write(1_000)), checker.invoke(Read));
        checker.returned(write, Done).expect("a write");
        checker.returned(read, Value(1_000)).expect("what was written");
        if round % 100 == 0 {
            let late = checker.invoke(Read);
            checker.returned(late, Value(1 + round / 20)).expect("an unknown write");
        }
    }
    assert_eq!(checker.verdict(), Verdict::Linearizable);
    assert!(checker.configurations.len() < 10, "{} configurations", checker.configurations.len());
}

#[test]
fn twenty_clients_at_one_register_are_decided_or_given_up_in_time_and_space() {
    for seed in 0..3 {
        let mut dice = Dice::new(seed, Purpose::Faults, 0);
        let events = history(&mut dice, 10_000, 20);
        let mut checker = Checker::<Register>::with_budget(0, 1 << 18);
        let mut ids = Vec::new();
        for event in events {
            match event {
                Invoked(_, asked) => ids.push(checker.invoke(asked)),
                Returned(operation, answer) => checker.returned(ids[operation], answer).expect("a real register"),
                Unknown(operation) => checker.unknown(ids[operation]),
                Failed(operation) => checker.failed(ids[operation]).expect("a real register"),
            }
            assert!(checker.configurations.len().pow(2) < 1 << 19, "too many configurations");
        }
        assert_ne!(checker.verdict(), Verdict::NotLinearizable);
    }
}
