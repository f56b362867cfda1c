//! A ring and what becomes of it, for people and for programs: loads against fair shares, and what each change moves.

pub mod svg;

use super::json::FORMAT;
use super::number::{count, counted, virtual_time};
use crate::placement::measure::Measure;
use crate::placement::ring::Ring;
use crate::placement::succession::Succession;
use crate::placement::survey::{Amount, Load, Traffic, loads, shift};
use serde::Serialize;
use std::fmt::Write;

/// As millionths of the circle.
const PPM: u64 = 1_000_000;

/// A table for the ring in the beginning and one for each change, with what it moves.
pub fn text(head: &str, rings: &Succession) -> String {
    let mut text = format!("{head}: {} of each of {}\n", copies(rings.copies), counted(rings.keys.len() as u64, "key"));
    let first = &rings.first;
    let _ = write!(text, "\nin the beginning: {}\n{}", members(first), table(first, rings));
    let mut before = first;
    for turn in &rings.turns {
        let ring = &turn.ring;
        let _ = write!(text, "\n{} {}: {}\n", virtual_time(turn.at_ns), turn.what, members(ring));
        text.push_str(&table(ring, rings));
        let shift = shift(before, ring, rings.copies, &rings.keys);
        text.push_str(&moved("first owners that change", &shift.owners, [before, ring]));
        text.push_str(&moved("copies that are sent", &shift.copies, [before, ring]));
        before = ring;
    }
    if !rings.left_out.is_empty() {
        text.push_str("\nnot shown:\n");
        rings.left_out.iter().for_each(|what| text.push_str(&format!("  {what}\n")));
    }
    text
}

fn copies(number: usize) -> String {
    if number == 1 { "1 copy".to_owned() } else { format!("{number} copies") }
}

fn members(ring: &Ring) -> String {
    format!("{}, {}", counted(ring.members().len() as u64, "member"), counted(ring.points().len() as u64, "point"))
}

/// The name of a member of one of these rings; of nobody, a dash.
fn name(rings: [&Ring; 2], node: Option<u16>) -> String {
    let member = node.and_then(|node| rings.iter().find_map(|ring| ring.member(node)));
    member.map_or("-".to_owned(), |member| String::from_utf8_lossy(&member.name).into_owned())
}

/// `12.5%`.
fn percent(ppm: u64) -> String {
    let tenths = (ppm + 500) / 1_000;
    format!("{}.{}%", tenths / 10, tenths % 10)
}

fn ppm(share: Measure) -> u64 {
    share.scaled(PPM) as u64
}

/// What a member with so many of all points would own if shares were as even as points, and what it would hold.
fn fair(ring: &Ring, node: u16, copies: usize) -> (u64, u64) {
    let all: u64 = ring.members().iter().map(|member| u64::from(member.points)).sum();
    let points = ring.member(node).map_or(0, |member| u64::from(member.points));
    let of = |copies: u64| (points * copies * PPM / all.max(1)).min(PPM);
    (of(1), of(copies as u64))
}

fn table(ring: &Ring, rings: &Succession) -> String {
    let head = ["node", "zone", "points", "owns", "fair", "keys", "holds", "fair", "copies"].map(str::to_owned);
    let rows = loads(ring, rings.copies, &rings.keys).into_iter().map(|load| row(ring, &load, rings.copies));
    aligned(std::iter::once(head).chain(rows).collect())
}

fn row(ring: &Ring, load: &Load, copies: usize) -> [String; 9] {
    let member = ring.member(load.node);
    let (owns, holds) = fair(ring, load.node, copies);
    [
        name([ring, ring], Some(load.node)),
        member.and_then(|member| member.zone).map_or("-".to_owned(), |zone| zone.to_string()),
        count(member.map_or(0, |member| u64::from(member.points))),
        percent(ppm(load.owns.share)),
        percent(owns),
        count(load.owns.keys),
        percent(ppm(load.holds.share)),
        percent(holds),
        count(load.holds.keys),
    ]
}

/// The first column begins at its left, the others end at their right.
fn aligned<const N: usize>(rows: Vec<[String; N]>) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let mut text = String::new();
    for row in &rows {
        let _ = write!(text, "  {:<1$}", row[0], widths[0]);
        for (cell, width) in row.iter().zip(widths).skip(1) {
            let _ = write!(text, "  {cell:>width$}");
        }
        text.push('\n');
    }
    text
}

/// `12.5% of the ring, 3 keys`.
fn amount(amount: Amount) -> String {
    format!("{} of the ring, {}", percent(ppm(amount.share)), counted(amount.keys, "key"))
}

fn moved(what: &str, traffic: &Traffic, rings: [&Ring; 2]) -> String {
    let mut text = format!("  {what}: {}; at least {}\n", amount(traffic.sent), amount(traffic.least));
    let flows = traffic.flows.iter().map(|flow| {
        let ends = format!("{} -> {}", name(rings, flow.from), name(rings, flow.to));
        [ends, percent(ppm(flow.amount.share)), counted(flow.amount.keys, "key")]
    });
    for line in aligned(flows.collect()).lines() {
        let _ = writeln!(text, "  {line}");
    }
    text
}

#[derive(Serialize)]
struct Shown<'a> {
    format: &'static str,
    scenario: &'a str,
    seed: u64,
    copies: usize,
    keys: usize,
    rings: Vec<ShownRing<'a>>,
    left_out: &'a [String],
}

#[derive(Serialize)]
struct ShownRing<'a> {
    /// When it is ordered; of the first ring 0.
    at_ns: u64,
    /// What is ordered; of the first ring nothing.
    order: Option<&'a str>,
    members: Vec<ShownMember>,
    moved: Option<ShownTraffic>,
    copied: Option<ShownTraffic>,
}

#[derive(Serialize)]
struct ShownMember {
    node: String,
    zone: Option<u16>,
    points: u32,
    owns_ppm: u64,
    owns_fair_ppm: u64,
    owns_keys: u64,
    holds_ppm: u64,
    holds_fair_ppm: u64,
    holds_keys: u64,
}

#[derive(Serialize)]
struct ShownTraffic {
    ppm: u64,
    keys: u64,
    least_ppm: u64,
    least_keys: u64,
    flows: Vec<ShownFlow>,
}

#[derive(Serialize)]
struct ShownFlow {
    from: Option<String>,
    to: Option<String>,
    ppm: u64,
    keys: u64,
}

/// The same as one line of JSON. Shares are millionths of the circle, rounded down.
pub fn json(scenario: &str, seed: u64, rings: &Succession) -> String {
    let mut all = vec![ShownRing {
        at_ns: 0,
        order: None,
        members: shown_members(&rings.first, rings),
        moved: None,
        copied: None,
    }];
    let mut before = &rings.first;
    for turn in &rings.turns {
        let shift = shift(before, &turn.ring, rings.copies, &rings.keys);
        let ends = [before, &turn.ring];
        all.push(ShownRing {
            at_ns: turn.at_ns,
            order: Some(&turn.what),
            members: shown_members(&turn.ring, rings),
            moved: Some(shown_traffic(&shift.owners, ends)),
            copied: Some(shown_traffic(&shift.copies, ends)),
        });
        before = &turn.ring;
    }
    let Succession { copies, keys, left_out, .. } = rings;
    super::json::object(&Shown {
        format: FORMAT,
        scenario,
        seed,
        copies: *copies,
        keys: keys.len(),
        rings: all,
        left_out,
    })
}

fn shown_members(ring: &Ring, rings: &Succession) -> Vec<ShownMember> {
    let shown = |load: Load| {
        let (owns_fair_ppm, holds_fair_ppm) = fair(ring, load.node, rings.copies);
        let member = ring.member(load.node);
        ShownMember {
            node: name([ring, ring], Some(load.node)),
            zone: member.and_then(|member| member.zone),
            points: member.map_or(0, |member| member.points),
            owns_ppm: ppm(load.owns.share),
            owns_fair_ppm,
            owns_keys: load.owns.keys,
            holds_ppm: ppm(load.holds.share),
            holds_fair_ppm,
            holds_keys: load.holds.keys,
        }
    };
    loads(ring, rings.copies, &rings.keys).into_iter().map(shown).collect()
}

fn shown_traffic(traffic: &Traffic, rings: [&Ring; 2]) -> ShownTraffic {
    let end = |node: Option<u16>| node.map(|_| name(rings, node));
    let flow = |flow: &crate::placement::survey::Flow| ShownFlow {
        from: end(flow.from),
        to: end(flow.to),
        ppm: ppm(flow.amount.share),
        keys: flow.amount.keys,
    };
    ShownTraffic {
        ppm: ppm(traffic.sent.share),
        keys: traffic.sent.keys,
        least_ppm: ppm(traffic.least.share),
        least_keys: traffic.least.keys,
        flows: traffic.flows.iter().map(flow).collect(),
    }
}
