//! Where everything is in a space-time diagram: which turns have rows, which nodes lanes, which faults bars.

use super::label::{Label, labels};
use crate::report::told::{Run, cut};
use crate::run::story::{Turn, What};

/// How many turns are drawn: the last.
const TURNS_MAX: usize = 2_000;
/// How many bars stand side by side: what there is more shares the last track.
const TRACKS_MAX: usize = 8;
/// How much is said of a fault, in signs.
const FAULT_SIGNS: usize = 40;

/// Sizes, in the units of the picture.
pub(super) const ROW: f64 = 24.0;
/// Where the words above the lanes end and the first row is.
pub(in crate::report) const TOP: f64 = 30.0;
/// Where times end, and bars begin.
pub(super) const TIME: f64 = 66.0;
pub(super) const BARS: f64 = 80.0;
pub(super) const TRACK: f64 = 8.0;
/// How far right of its dot a label begins.
pub(super) const LABEL: f64 = 15.0;
/// How wide a sign of small text is taken to be.
pub(super) const SIGN: f64 = 5.9;
/// What lies between two lanes, at least and at most, and how wide lanes are together if there is a choice.
const LANE_MIN: f64 = 92.0;
const LANE_MAX: f64 = 210.0;
const LANES: f64 = 1_080.0;
/// What stands above the lanes needs so much.
const WIDTH_MIN: f64 = 720.0;

/// Where everything is.
#[derive(Debug)]
pub(in crate::report) struct Layout<'a> {
    pub(in crate::report) run: &'a Run<'a>,
    /// The turns that are drawn, by their places in the story, in ascending order. Each has a row.
    pub(in crate::report) rows: Vec<usize>,
    /// How many of those that should be shown are left out, before all others.
    pub(in crate::report) left_out: usize,
    /// The nodes that have lanes, by their numbers, in ascending order.
    pub(in crate::report) nodes: Vec<usize>,
    /// By node: its lane.
    lanes: Vec<Option<usize>>,
    /// By row: what is said of its turn.
    pub(super) labels: Vec<Label>,
    pub(super) bars: Vec<Bar>,
    /// Where the words of faults begin, where lanes do, and how far these are from each other.
    pub(super) words: f64,
    lanes_at: f64,
    pub(super) pitch: f64,
}

/// A fault that lasts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Bar {
    /// Its place in the plan.
    pub(super) fault: usize,
    pub(super) track: usize,
    /// The rows in which it begins and ends; without an end it is on to the last and beyond.
    pub(super) from: usize,
    pub(super) to: Option<usize>,
}

impl<'a> Layout<'a> {
    /// That of the turns that are to be shown, and of the faults among them or still on.
    pub(in crate::report) fn of(run: &'a Run<'a>) -> Layout<'a> {
        let turns = &run.story.turns;
        let last = run.shown.last().map_or(0, |last| last + 1);
        let mut rows = run.places();
        let over = rows.len().saturating_sub(TURNS_MAX);
        let left_out = rows.drain(..over).filter(|place| turns[*place].node.is_some()).count();
        let spans = spans(run, last);
        let from = rows.first().copied().unwrap_or(0);
        let mut earlier: Vec<usize> = spans
            .iter()
            .filter(|span| span.from < from && span.to.is_none_or(|to| to >= from))
            .map(|s| s.from)
            .collect();
        earlier.sort_unstable();
        earlier.dedup();
        rows.splice(0..0, earlier);
        let mut lanes = vec![None; run.story.names.len()];
        rows.iter().filter_map(|place| turns[*place].node).for_each(|node| lanes[node] = Some(0));
        let nodes: Vec<usize> = (0..lanes.len()).filter(|node| lanes[*node].is_some()).collect();
        nodes.iter().enumerate().for_each(|(lane, node)| lanes[*node] = Some(lane));
        let bars = bars(&spans, &rows);
        let tracks = bars.iter().map(|bar| bar.track + 1).max().unwrap_or(0);
        let signs =
            rows.iter().filter_map(|place| fault_words(&turns[*place])).map(|words| words.chars().count()).max();
        let words = BARS + TRACK * tracks as f64 + 6.0;
        let lanes_at = signs.map_or(BARS, |signs| words + signs as f64 * SIGN) + 28.0;
        let pitch = (LANES / nodes.len().max(1) as f64).clamp(LANE_MIN, LANE_MAX);
        Layout { run, labels: labels(run, &rows), rows, left_out, nodes, lanes, bars, words, lanes_at, pitch }
    }

    /// The row of the turn at this place, if it is drawn.
    pub(in crate::report) fn row(&self, place: usize) -> Option<usize> {
        self.rows.binary_search(&place).ok()
    }

    /// How far down a row is.
    pub(super) fn y(&self, row: usize) -> f64 {
        TOP + ROW * (row as f64 + 0.75)
    }

    /// How far down something is that happens in the turn at this place, drawn or not.
    pub(super) fn height_of(&self, place: usize) -> f64 {
        match self.rows.binary_search(&place) {
            Ok(row) => self.y(row),
            Err(row) => self.y(row) - ROW / 2.0,
        }
    }

    /// The lane of this node, counted from the left, if it has one.
    pub(super) fn lane(&self, node: usize) -> Option<usize> {
        self.lanes[node]
    }

    /// Where that is.
    pub(super) fn x(&self, node: usize) -> Option<f64> {
        self.lanes[node].map(|lane| self.lane_x(lane))
    }

    pub(super) fn lane_x(&self, lane: usize) -> f64 {
        self.lanes_at + self.pitch * lane as f64
    }

    /// How far right everything goes, and how far down the lanes do.
    pub(in crate::report) fn width(&self) -> f64 {
        let lane = |place: &usize| self.run.story.turns[*place].node.and_then(|node| self.x(node)).unwrap_or(0.0);
        let ends = self.rows.iter().zip(&self.labels).map(|(place, label)| lane(place) + label.len() as f64 * SIGN);
        ends.fold(WIDTH_MIN - LABEL - 16.0, f64::max) + LABEL + 16.0
    }

    pub(super) fn bottom(&self) -> f64 {
        self.y(self.rows.len())
    }

    /// When this node is down, by places in the story: from the turn in which it died, or from before everything, to the one in
    /// which it starts, if it does.
    pub(super) fn downs(&self, node: usize) -> Vec<(Option<usize>, Option<usize>)> {
        let mut downs: Vec<(Option<usize>, Option<usize>)> = Vec::new();
        let (mut down, mut is_known) = (None, false);
        for (place, turn) in self.run.story.turns.iter().enumerate().filter(|(_, turn)| turn.node == Some(node)) {
            for deed in &turn.deeds {
                match deed.what {
                    What::Dies => down = Some(place),
                    What::Starts if down.is_some() || !is_known => downs.push((down.take(), Some(place))),
                    What::Starts => {}
                    _ => continue,
                }
                is_known = true;
            }
        }
        downs.extend(down.map(|place| (Some(place), None)));
        downs
    }
}

/// What is said of the faults of a turn, shortened; nothing of the turns of nodes.
pub(super) fn fault_words(turn: &Turn) -> Option<String> {
    let said = turn.deeds.iter().filter(|_| turn.node.is_none()).map(|deed| match deed.what {
        What::Ends { .. } => format!("end: {}", deed.words),
        What::Calm => "the faults are over".to_owned(),
        _ => deed.words.clone(),
    });
    let said = said.collect::<Vec<String>>().join(", ");
    (!said.is_empty()).then(|| cut(&said, FAULT_SIGNS))
}

/// From where to where in the story a fault is on.
struct Span {
    fault: usize,
    from: usize,
    to: Option<usize>,
}

/// Those of all faults that last and begin before this place.
fn spans(run: &Run<'_>, end: usize) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for (place, turn) in run.story.turns[..end].iter().enumerate().filter(|(_, turn)| turn.node.is_none()) {
        for deed in &turn.deeds {
            match deed.what {
                What::Begins { fault } if !run.faults.get(fault).is_some_and(|line| line.is_momentary) => {
                    spans.push(Span { fault, from: place, to: None });
                }
                What::Ends { fault } => {
                    if let Some(span) = spans.iter_mut().rfind(|span| span.fault == fault && span.to.is_none()) {
                        span.to = Some(place);
                    }
                }
                _ => {}
            }
        }
    }
    spans
}

/// Bars for those that reach into these rows, no two of one track at the same time.
fn bars(spans: &[Span], rows: &[usize]) -> Vec<Bar> {
    let row = |place: usize| rows.binary_search(&place).ok();
    let (mut bars, mut free): (Vec<Bar>, Vec<usize>) = (Vec::new(), Vec::new());
    for span in spans {
        let Some(from) = row(span.from) else { continue };
        let to = span.to.and_then(row);
        let ends = to.map_or(usize::MAX, |to| to + 1);
        let track = match free.iter().position(|free| *free <= from) {
            Some(track) => track,
            None if free.len() < TRACKS_MAX => {
                free.push(0);
                free.len() - 1
            }
            None => TRACKS_MAX - 1,
        };
        free[track] = free[track].max(ends);
        bars.push(Bar { fault: span.fault, track, from, to });
    }
    bars
}
