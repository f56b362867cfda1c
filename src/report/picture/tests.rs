//! What a space-time diagram shows of a small run.

use super::*;
use crate::report::told::example::{BEGINS, DIES, Element, Example, GETS, LAST, SENDS, elements};

fn drawn(example: &Example, shown: &[usize]) -> Vec<Element> {
    elements(&example.told(shown, svg))
}

fn count_of(elements: &[Element], class: &str) -> usize {
    elements.iter().filter(|element| element.is_of(class)).count()
}

#[test]
fn each_turn_is_a_dot_and_each_message_an_arrow() {
    for example in [Example::passed(), Example::broken()] {
        let picture = drawn(&example, &example.all());
        assert_eq!(count_of(&picture, "turn"), example.all().len());
        let letters: Vec<&Element> = picture.iter().filter(|element| element.is_of("letter")).collect();
        let ends: Vec<(&str, &str)> = letters.iter().map(|one| (one.says("data-from"), one.says("data-to"))).collect();
        let (sent, got) = (SENDS.to_string(), GETS.to_string());
        // One that comes in a later row, and one that comes nowhere.
        assert_eq!(ends, [(sent.as_str(), ""), (sent.as_str(), got.as_str())]);
        // Both, and those of the legend.
        assert_eq!((count_of(&picture, "arrow"), count_of(&picture, "lost")), (4, 3));
        // Two ends of a fault, and another one that has none; a bar for the first, and that of the legend.
        assert_eq!((count_of(&picture, "happening"), count_of(&picture, "bar")), (3, 2));
    }
}

#[test]
fn only_what_broke_is_red() {
    let (passed, broken) = (Example::passed(), Example::broken());
    let text = passed.told(&passed.all(), svg);
    assert!(
        !text.contains("bad") && !text.contains("halo") && !text.contains("#c01c1c") && text.contains("nothing broke")
    );
    let picture = drawn(&broken, &broken.all());
    let place = |is: &dyn Fn(&Element) -> bool| picture.iter().position(is).expect("it is there");
    let last = place(&|element| element.says("data-turn") == LAST.to_string());
    assert!(place(&|element| element.is_of("halo")) > last && count_of(&picture, "halo") == 1);
    assert!(broken.told(&broken.all(), svg).contains(">raft.election-safety is broken</text>"));
    // If something else is shown, the promise is broken none the less, but not in what is last then.
    let picture = drawn(&broken, &[SENDS, GETS]);
    assert_eq!((count_of(&picture, "halo"), count_of(&picture, "end")), (0, 1));
}

#[test]
fn a_lane_is_interrupted_while_its_node_is_down() {
    let example = Example::passed();
    let layout_of = |shown: &[usize], see: &dyn Fn(&Layout<'_>)| example.told(shown, |run| see(&Layout::of(run)));
    layout_of(&example.all(), &|layout| {
        assert_eq!(layout.downs(0), [(None, Some(0))]);
        assert_eq!(layout.downs(1), [(None, Some(1)), (Some(DIES), Some(DIES + 3))]);
        let mut text = String::new();
        lifeline(&mut text, layout, 1, 1);
        let (x, [starts, dies, again]) = (layout.lane_x(1), [1, DIES, DIES + 3].map(|place| layout.height_of(place)));
        let path =
            |class: &str, from: f64, to: f64| format!("<path class=\"{class}\" d=\"M{x:.1} {from:.1}V{to:.1}\"/>");
        let lane = [path("lane", starts, dies), path("lane down", dies, again), path("lane", again, layout.bottom())];
        assert_eq!(text, lane.concat());
    });
    // Who does nothing has no lane, and what does not come to a row is between rows.
    layout_of(&[SENDS, LAST], &|layout| {
        assert_eq!((layout.nodes.as_slice(), layout.lane(1)), (&[0][..], None));
        assert_eq!(layout.height_of(DIES), layout.y(layout.row(DIES + 1).expect("a fault")) - ROW / 2.0);
    });
}

#[test]
fn faults_are_drawn_that_begin_among_the_turns_or_before_them() {
    let mut example = Example::passed();
    let rows = |example: &Example, shown: &[usize]| example.told(shown, |run| Layout::of(run).rows);
    assert_eq!(rows(&example, &[1, GETS]), [1, BEGINS, GETS]);
    assert_eq!(rows(&example, &[GETS]), [BEGINS, GETS]);
    // What is over, or was over at once, is not.
    assert_eq!(rows(&example, &[LAST]), [LAST]);
    // Unless it is still on.
    example.faults[1].is_momentary = false;
    assert_eq!(rows(&example, &[LAST]), [8, LAST]);
    assert_eq!(rows(&example, &[]), [0; 0]);
    assert!(count_of(&drawn(&example, &[]), "turn") == 0);
}

#[test]
fn of_a_long_story_the_end_is_drawn_and_how_much_is_missing() {
    let example = Example::long(3_000);
    let text = example.told(&example.all(), svg);
    assert_eq!(count_of(&elements(&text), "turn"), 2_000);
    assert!(text.contains("2,000 of 3,000 turns, the last; 1,000 before them are left out"));
    let example = Example::long(2_000);
    let text = example.told(&example.all(), svg);
    assert!(text.contains(">2,000 turns; ") && !text.contains("left out"));
}

#[test]
fn beside_a_dot_stands_what_is_new() {
    let example = Example::passed();
    let said = example.told(&example.all(), |run| {
        let layout = Layout::of(run);
        [0, SENDS, LAST].map(|place| layout.labels[layout.row(place).expect("a row")].text())
    });
    let pale = |text: &str| format!("<tspan class=\"dim\">{text}</tspan>");
    assert_eq!(
        said,
        [
            format!("{} rests in term 0", pale("starts")),
            format!("{} ", pale("timer Election")),
            format!("{} …term 1", pale("timer Election"))
        ]
    );
}
