//! The few colours there are, and what each means.

use anstyle::{AnsiColor, Style};

/// As it should be.
pub const GOOD: Style = AnsiColor::Green.on_default().bold();
/// A promise is broken, and nobody expected it.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// Nobody knows.
pub const UNSURE: Style = AnsiColor::Yellow.on_default().bold();
/// What the eye may skip.
pub const DIM: Style = Style::new().dimmed();
/// What the eye should find.
pub const BOLD: Style = Style::new().bold();

/// The text in this style.
pub fn styled(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}
