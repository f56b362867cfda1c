//! Several registers at one instant, against a twin that tries all orders.

use super::super::registers::Registers;
use super::*;

type Asked = Vec<(u32, Operation)>;
type Told = Vec<Answer>;

/// A call, and what it was told if it was.
struct Call {
    asked: Asked,
    from: usize,
    upto: usize,
    told: Option<Told>,
}

fn some_order(state: &<Registers as Model>::State, calls: &mut Vec<Call>) -> bool {
    let Some(deadline) = calls.iter().filter(|call| call.told.is_some()).map(|call| call.upto).min() else {
        return true;
    };
    (0..calls.len()).any(|place| {
        if calls[place].from > deadline {
            return false;
        }
        let call = calls.remove(place);
        let mut after = state.clone();
        let given = Registers::apply(&mut after, &call.asked);
        let is_explained = call.told.as_ref().is_none_or(|told| *told == given) && some_order(&after, calls);
        calls.insert(place, call);
        is_explained
    })
}

/// What real registers do for concurrent clients; some never return.
fn calls(dice: &mut Dice, count: usize, keys: u64) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let (mut state, mut position) = (Default::default(), 0);
    while calls.len() < count || !open.is_empty() {
        position += 1;
        if calls.len() < count && (open.is_empty() || dice.below(2) == 0) {
            let one = |dice: &mut Dice| {
                let (a, b) = (dice.below(3), dice.below(3));
                let operations = [Read, Read, Read, Write(a), Cas { from: a, to: b }, Add(1)];
                (dice.below(keys) as u32, operations[dice.below(6) as usize])
            };
            let asked = (0..1 + dice.below(3)).map(|_| one(dice)).collect();
            open.push(calls.len());
            calls.push(Call { asked, from: position, upto: usize::MAX, told: None });
            continue;
        }
        let place = dice.below(open.len() as u64) as usize;
        let call = &mut calls[open[place]];
        match (&call.told, dice.below(9)) {
            (None, 0) => drop(open.remove(place)),
            (None, _) => call.told = Some(Registers::apply(&mut state, &call.asked)),
            (Some(_), _) => {
                call.upto = position;
                open.remove(place);
            }
        }
    }
    calls
}

/// The position of the first return that the checker does not explain.
fn first_unexplained(calls: &[Call]) -> Option<usize> {
    let mut checker = Checker::<Registers>::new(Default::default());
    let ends = |call: &Call| call.upto.min(usize::MAX - 1);
    let last = calls.iter().map(|call| call.from.max(if call.told.is_some() { ends(call) } else { 0 })).max()?;
    let mut ids = Vec::new();
    for position in 0..=last {
        if let Some(call) = calls.get(ids.len()).filter(|call| call.from == position) {
            ids.push(checker.invoke(call.asked.clone()));
            if call.told.is_none() {
                checker.unknown(ids[ids.len() - 1]);
            }
        }
        let returned = (0..calls.len()).find(|call| calls[*call].upto == position && calls[*call].told.is_some());
        let Some(number) = returned else { continue };
        let told = calls[number].told.clone().expect("it returned");
        if checker.returned(ids[number], told).is_err() {
            return Some(position);
        }
        assert_eq!(checker.verdict(), Verdict::Linearizable, "the budget is ample");
    }
    None
}

#[test]
fn several_registers_are_judged_after_every_return_as_by_trying_all_orders() {
    let (mut good, mut bad) = (0, 0);
    for (number, mut dice) in Dice::flock(5, Purpose::Faults, 0..8_000).enumerate() {
        let mut calls = calls(&mut dice, 2 + number % 5, 1 + number as u64 % 3);
        if number % 2 == 1 {
            let place = dice.below(calls.len() as u64) as usize;
            let told = calls[place].told.iter_mut().flatten();
            told.for_each(|answer| match answer {
                Value(value) => *value = dice.below(3),
                Swapped(swapped) => *swapped = dice.below(2) == 0,
                Done => {}
            });
        }
        let mut returns: Vec<usize> = calls.iter().filter(|call| call.told.is_some()).map(|call| call.upto).collect();
        returns.sort_unstable();
        let expected = returns.into_iter().find(|end| {
            let known = calls.iter().filter(|call| call.from < *end).map(|call| {
                let told = call.told.clone().filter(|_| call.upto <= *end);
                let upto = if told.is_some() { call.upto } else { usize::MAX };
                Call { asked: call.asked.clone(), from: call.from, upto, told }
            });
            !some_order(&Default::default(), &mut known.collect())
        });
        let told: Vec<_> = calls.iter().map(|call| (&call.asked, call.from, call.upto, &call.told)).collect();
        assert_eq!(first_unexplained(&calls), expected, "history {number}: {told:?}");
        if expected.is_none() { good += 1 } else { bad += 1 }
    }
    assert!(good > 4_000 && bad > 1_000, "{good} good and {bad} bad histories prove little");
}
