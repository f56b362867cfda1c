//! A ring as a picture, and beside it what becomes of it: arcs in the colours of their owners, points, keys, a legend.

use crate::placement::measure::{Measure, Space};
use crate::placement::movement::Movement;
use crate::placement::ring::Ring;
use crate::placement::succession::Succession;
use crate::report::number::{counted, virtual_time};
use std::collections::BTreeMap;
use std::f64::consts::TAU;
use std::fmt::Write;

/// How many rings are drawn: the first.
const RINGS_MAX: usize = 12;
/// How many arcs a ring is drawn with; of one that has more, as many samples.
const ARCS_MAX: usize = 4_096;
/// How many keys are drawn: of more, every so many-th.
const DOTS_MAX: usize = 2_000;
/// How many points have ticks. More would hide the colours.
const TICKS_MAX: usize = 400;
/// How many lines a legend has.
const LINES_MAX: usize = 32;

/// Sizes, in the units of the picture.
const PANEL: f64 = 380.0;
const HEAD: f64 = 84.0;
/// What stands in the head needs so much.
const WIDTH_MIN: f64 = 480.0;
const LINE: f64 = 18.0;
const CENTRE: f64 = PANEL / 2.0;
const BAND: f64 = 130.0;
const BAND_WIDTH: f64 = 24.0;
const MOVED: f64 = 152.0;
const KEYS: f64 = 108.0;

/// Of eight colours that people tell apart who see fewer; the others have hues as far apart as they can be.
/// Source: Okabe and Ito, "Color Universal Design", 2008.
const COLOURS: [&str; 8] = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a800", "#8c8c8c"];

const STYLE: &str = "\
text{font:13px system-ui,sans-serif;fill:#1b1b1b}\
.back{fill:#ffffff}.head{font-size:16px;font-weight:600}.dim{fill:#5c5c5c}\
.tick{stroke:#1b1b1b;stroke-width:.8}\
@media (prefers-color-scheme:dark){text{fill:#ececec}.back{fill:#16181b}.dim{fill:#a9a9a9}.tick{stroke:#ececec}}";

/// The whole picture, as a file of its own.
pub fn svg(head: &str, rings: &Succession) -> String {
    let turns = rings.turns.iter().take(RINGS_MAX - 1);
    let mut panels = vec![("in the beginning".to_owned(), &rings.first, None)];
    let mut before = &rings.first;
    for turn in turns {
        panels.push((format!("{} {}", virtual_time(turn.at_ns), turn.what), &turn.ring, Some(before)));
        before = &turn.ring;
    }
    let lines = panels.iter().map(|(_, ring, _)| ring.members().len().min(LINES_MAX + 1)).max().unwrap_or(0);
    let columns = panels.len().min(3);
    let height = PANEL + 56.0 + LINE * lines as f64;
    let (width, whole) =
        ((PANEL * columns as f64).max(WIDTH_MIN), HEAD + height * panels.len().div_ceil(columns) as f64);
    let said = format!("{head}: {}, {} each", counted(rings.keys.len() as u64, "key"), counted_copies(rings.copies));
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {whole}\" width=\"{width}\" height=\"{whole}\" \
         role=\"img\" aria-labelledby=\"title desc\">\n<title id=\"title\">{}</title>\n<desc id=\"desc\">{}</desc>\n\
         <style>{STYLE}</style>\n<rect class=\"back\" width=\"100%\" height=\"100%\"/>\n",
        escaped(&said),
        escaped(&description(&panels, rings)),
    );
    let _ = writeln!(text, "<text class=\"head\" x=\"16\" y=\"28\">{}</text>", escaped(&said));
    for (y, legend) in [
        (48, "Clockwise from the top. Band: first owners; ticks: points; dots: keys."),
        (66, "Outside: what has another first owner than before."),
    ] {
        let _ = writeln!(text, "<text class=\"dim\" x=\"16\" y=\"{y}\">{legend}</text>");
    }
    for (place, (title, ring, before)) in panels.iter().enumerate() {
        let (x, y) = (PANEL * (place % columns) as f64, HEAD + height * (place / columns) as f64);
        let _ = writeln!(text, "<g transform=\"translate({x} {y})\">");
        panel(&mut text, title, ring, *before, rings);
        text.push_str("</g>\n");
    }
    text.push_str("</svg>\n");
    text
}

type Panel<'a> = (String, &'a Ring, Option<&'a Ring>);

fn counted_copies(copies: usize) -> String {
    if copies == 1 { "1 copy".to_owned() } else { format!("{copies} copies") }
}

/// What somebody is told who does not see the picture.
fn description(panels: &[Panel<'_>], rings: &Succession) -> String {
    let told = |(title, ring, before): &Panel<'_>| {
        let loads = ring.loads();
        let shares: Vec<String> = loads
            .iter()
            .take(LINES_MAX)
            .map(|(node, share)| format!("{} {}", name(ring, *node), percent(*share)))
            .collect();
        let rest = loads.len().saturating_sub(LINES_MAX);
        let more = if rest > 0 { format!(" and {rest} others") } else { String::new() };
        let moved = before.map_or(String::new(), |before| {
            format!("; {} has another first owner than before", percent(Movement::between(before, ring, 1).moved()))
        });
        format!("{title}: {}{more}{moved}.", shares.join(", "))
    };
    let mut text = panels.iter().map(told).collect::<Vec<String>>().join(" ");
    let rest = (rings.turns.len() + 1).saturating_sub(panels.len());
    if rest > 0 {
        let _ = write!(text, " {} more not drawn.", counted(rest as u64, "change"));
    }
    text
}

fn panel(text: &mut String, title: &str, ring: &Ring, before: Option<&Ring>, rings: &Succession) {
    let space = ring.space();
    let _ = writeln!(text, "<text x=\"16\" y=\"20\">{}</text>", escaped(title));
    arcs(text, BAND, BAND_WIDTH, &owned(ring));
    if let Some(before) = before {
        let moved = Movement::between(before, ring, 1).changes;
        let mut by_owner: Arcs = BTreeMap::new();
        for change in moved.into_iter().take(ARCS_MAX) {
            let Some(owner) = change.to.first() else { continue };
            by_owner.entry(*owner).or_default().push((turn(space, change.start), change.length.scaled(1 << 40) as f64));
        }
        arcs(text, MOVED, 8.0, &by_owner);
    }
    ticks(text, ring);
    let mut keys: BTreeMap<u16, Vec<f64>> = BTreeMap::new();
    for key in thinned(&rings.keys) {
        if let Some(owner) = ring.owner(*key) {
            keys.entry(owner).or_default().push(turn(space, *key));
        }
    }
    for (node, keys) in keys {
        let dots: String = keys.into_iter().map(|at| format!("M{}h0", spot(KEYS, at))).collect();
        let _ = writeln!(
            text,
            "<path d=\"{dots}\" fill=\"none\" stroke=\"{}\" stroke-width=\"5\" stroke-linecap=\"round\"/>",
            colour(node)
        );
    }
    let sum =
        format!("{}, {}", counted(ring.members().len() as u64, "member"), counted(ring.points().len() as u64, "point"));
    let _ = writeln!(text, "<text x=\"{CENTRE}\" y=\"{CENTRE}\" text-anchor=\"middle\">{sum}</text>");
    if let Some(before) = before {
        let moved = percent(Movement::between(before, ring, 1).moved());
        let y = CENTRE + LINE;
        let _ =
            writeln!(text, "<text class=\"dim\" x=\"{CENTRE}\" y=\"{y}\" text-anchor=\"middle\">{moved} moves</text>");
    }
    legend(text, ring, rings);
}

fn legend(text: &mut String, ring: &Ring, rings: &Succession) {
    let (owned, held) = (ring.loads(), ring.loads_of(rings.copies));
    let mut y = PANEL + 12.0;
    for ((node, owns), (_, holds)) in owned.iter().zip(&held).take(LINES_MAX) {
        let zone =
            ring.member(*node).and_then(|member| member.zone).map_or(String::new(), |zone| format!("zone {zone}"));
        let (name, top) = (escaped(&name(ring, *node)), y - 11.0);
        let _ = writeln!(
            text,
            "<rect x=\"40\" y=\"{top}\" width=\"12\" height=\"12\" rx=\"2\" fill=\"{}\"/><text x=\"60\" y=\"{y}\">{name}</text>\
             <text class=\"dim\" x=\"105\" y=\"{y}\">{zone}</text><text x=\"245\" y=\"{y}\" text-anchor=\"end\">owns {}</text>\
             <text x=\"345\" y=\"{y}\" text-anchor=\"end\">holds {}</text>",
            colour(*node),
            percent(*owns),
            percent(*holds),
        );
        y += LINE;
    }
    if owned.len() > LINES_MAX {
        let rest = owned.len() - LINES_MAX;
        let _ = writeln!(text, "<text class=\"dim\" x=\"60\" y=\"{y}\">and {rest} others</text>");
    }
}

/// By owner, where arcs begin and how long they are, in 2^-40 of the circle.
type Arcs = BTreeMap<u16, Vec<(f64, f64)>>;

/// Neighbours of one owner are one arc.
fn owned(ring: &Ring) -> Arcs {
    let space = ring.space();
    let mut list: Vec<(u16, f64, f64)> = Vec::new();
    let mut see = |owner: u16, start: f64, length: f64| match list.last_mut().filter(|last| last.0 == owner) {
        Some(last) => last.2 += length,
        None => list.push((owner, start, length)),
    };
    if ring.points().len() <= ARCS_MAX {
        let mut owners = Vec::new();
        for arc in ring.arcs() {
            ring.preference_of(&arc, 1, &mut owners);
            if let Some(owner) = owners.first() {
                see(*owner, turn(space, arc.start), arc.length(space).scaled(1 << 40) as f64);
            }
        }
    } else {
        let step = u128::MAX / ARCS_MAX as u128;
        for place in 0..ARCS_MAX {
            let position = space.position(step * place as u128 + step / 2);
            let length = (1_u64 << 40) as f64 / ARCS_MAX as f64;
            ring.owner(position).into_iter().for_each(|owner| see(owner, place as f64 * length, length));
        }
    }
    let mut arcs: Arcs = BTreeMap::new();
    list.into_iter().for_each(|(owner, start, length)| arcs.entry(owner).or_default().push((start, length)));
    arcs
}

/// Draws arcs of this radius, a path for each owner.
fn arcs(text: &mut String, radius: f64, width: f64, arcs: &Arcs) {
    for (node, arcs) in arcs {
        let mut path = String::new();
        for (start, length) in arcs {
            // An arc that ends where it begins is none: a long one is drawn in two.
            let half = start + length / 2.0;
            let end = start + length;
            let _ = write!(path, "M{}", spot(radius, *start));
            for to in [half, end] {
                let _ = write!(path, "A{radius} {radius} 0 0 1 {}", spot(radius, to));
            }
        }
        let _ = writeln!(
            text,
            "<path d=\"{path}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{width}\" stroke-linejoin=\"bevel\"/>",
            colour(*node)
        );
    }
}

fn ticks(text: &mut String, ring: &Ring) {
    let (inner, outer) = (BAND - BAND_WIDTH / 2.0, BAND + BAND_WIDTH / 2.0);
    let mut path = String::new();
    for position in ring.points().positions().iter().filter(|_| ring.points().len() <= TICKS_MAX) {
        let at = turn(ring.space(), *position);
        let _ = write!(path, "M{}L{}", spot(inner, at), spot(outer, at));
    }
    let _ = writeln!(text, "<path class=\"tick\" d=\"{path}\" fill=\"none\"/>");
}

/// Of many, every so many-th.
fn thinned<T>(list: &[T]) -> impl Iterator<Item = &T> {
    list.iter().step_by(list.len().div_ceil(DOTS_MAX).max(1))
}

/// Where a position is, in 2^-40 of the circle.
fn turn(space: Space, position: u128) -> f64 {
    if position == 0 { 0.0 } else { space.length(0, position).scaled(1 << 40) as f64 }
}

/// `x y` of what is so far from the centre, and so far round from the top.
fn spot(radius: f64, turn: f64) -> String {
    let angle = turn / (1_u64 << 40) as f64 * TAU;
    format!("{:.2} {:.2}", CENTRE + radius * angle.sin(), CENTRE - radius * angle.cos())
}

fn colour(node: u16) -> String {
    match COLOURS.get(usize::from(node)) {
        Some(colour) => (*colour).to_owned(),
        // The golden angle, so that no two of few are alike.
        None => {
            format!("hsl({},{}%,{}%)", u32::from(node) * 137_508 / 1_000 % 360, 55 + node % 3 * 15, 42 + node % 4 * 6)
        }
    }
}

fn name(ring: &Ring, node: u16) -> String {
    ring.member(node).map_or(String::new(), |member| String::from_utf8_lossy(&member.name).into_owned())
}

fn percent(share: Measure) -> String {
    let tenths = (share.scaled(1_000_000) + 500) / 1_000;
    format!("{}.{}%", tenths / 10, tenths % 10)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
