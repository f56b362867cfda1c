//! The search in depth, against the twin that tries all orders.

use super::super::search::{Found, Step, search};
use super::windows::steps;
use super::*;

fn spans(steps: &[Step<Register>]) -> Vec<Span> {
    let span = |step: &Step<Register>| Span {
        asked: step.operation,
        from: step.invoked,
        upto: step.returned,
        answer: step.answer,
    };
    steps.iter().map(span).collect()
}

#[test]
fn the_search_agrees_with_trying_all_orders() {
    let (mut good, mut bad) = (0, 0);
    for (number, mut dice) in Dice::flock(6, Purpose::Faults, 0..30_000).enumerate() {
        let mut events = history(&mut dice, 2 + number % 7, 2 + number / 2 % 4);
        (0..number % 4).for_each(|_| corrupt(&mut events, &mut dice));
        let mut steps = steps(&events);
        // What failed may have happened here: it has no return.
        if number % 3 == 0 {
            // Overwrites and reads alone, of which many are hidden.
            steps.retain(|step| matches!(step.operation, Read | Write(_)));
        }
        let is_explained = some_order_explains(0, &mut spans(&steps));
        let found = search(&[0], &steps, 1_000_000, 1);
        assert_eq!(found == Found::Order, is_explained, "history {number}: {found:?} for {steps:?}");
        if let Found::Nothing(last) = found {
            // Up to the return before that there is an order.
            let mut before = steps.clone();
            for step in &mut before {
                if step.returned >= steps[last].returned && step.answer.is_some() {
                    (step.answer, step.returned) = (None, usize::MAX);
                }
            }
            assert!(some_order_explains(0, &mut spans(&before)), "history {number}: {last} is late in {steps:?}");
        }
        assert_eq!(
            search(&[7, 0], &steps, 1_000_000, 1) == Found::Order,
            is_explained || { some_order_explains(7, &mut spans(&steps)) }
        );
        if is_explained { good += 1 } else { bad += 1 }
    }
    assert!(good > 5_000 && bad > 5_000, "{good} good and {bad} bad histories prove little");
}

#[test]
fn a_search_gives_up_when_the_budget_is_spent() {
    let lost = (1..=40).map(|value| Step {
        operation: Add(value),
        answer: None,
        invoked: value as usize,
        returned: usize::MAX,
    });
    let mut steps: Vec<Step<Register>> = lost.collect();
    let impossible = Some(Value(u64::MAX));
    steps.push(Step { operation: Read, answer: impossible, invoked: 41, returned: 42 });
    assert_eq!(search(&[0], &steps, 100_000, 1), Found::TooMuch);
    steps.truncate(1);
    steps.push(Step { operation: Read, answer: impossible, invoked: 41, returned: 42 });
    assert_eq!(search(&[0], &steps, 100_000, 1), Found::Nothing(1));
}
