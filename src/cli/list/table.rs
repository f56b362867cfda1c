//! Text in columns, wrapped where somebody watches and whole where a program reads.

use crate::report::style::{BOLD, DIM, styled};

/// Narrower than this, a last column is not worth wrapping.
const NARROWEST: usize = 24;

/// Rows whose first column is a name and whose last one is a sentence.
pub(super) fn table<const N: usize>(rows: &[[&str; N]], width: Option<usize>) -> String {
    let widths: Vec<usize> = (0..N).map(|column| longest(rows.iter().map(|row| row[column]))).collect();
    let indent: usize = widths[..N - 1].iter().map(|width| width + 2).sum();
    let mut text = String::new();
    for row in rows {
        for (place, line) in wrapped(row[N - 1], width.map(|width| width.saturating_sub(indent))).iter().enumerate() {
            match place {
                0 => text += &head(&row[..N - 1], &widths),
                _ => text += &" ".repeat(indent),
            }
            text += line;
            text.truncate(text.trim_end_matches(' ').len());
            text.push('\n');
        }
    }
    text
}

fn head(cells: &[&str], widths: &[usize]) -> String {
    cells.iter().zip(widths).enumerate().fold(String::new(), |text, (column, (cell, width))| {
        let style = if column == 0 { BOLD } else { DIM };
        text + &styled(style, cell) + &" ".repeat(width + 2 - cell.chars().count())
    })
}

/// An indented paragraph after a label.
pub(super) fn paragraph(label: &str, text: &str, width: Option<usize>) -> String {
    let indent = 2 + label.chars().count();
    let lines = wrapped(text, width.map(|width| width.saturating_sub(indent)));
    lines.iter().enumerate().fold(String::new(), |text, (place, line)| match place {
        0 => text + &format!("  {}{line}\n", styled(DIM, label)),
        _ => text + &format!("{}{line}\n", " ".repeat(indent)),
    })
}

fn longest<'a>(cells: impl Iterator<Item = &'a str>) -> usize {
    cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
}

fn wrapped(text: &str, width: Option<usize>) -> Vec<String> {
    let Some(width) = width.filter(|width| *width >= NARROWEST) else {
        return vec![text.to_owned()];
    };
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is always a line");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}
