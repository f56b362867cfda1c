//! What GitHub shows of a sweep: annotations, which are commands to the runner in the step's output, and a page in
//! Markdown.

use super::number::{count, counted};
use super::suite::{Account, Finding, Weight};

/// GitHub shows so many annotations of each kind that a step makes, and drops the others without a word.
const SHOWN: usize = 10;
/// So many findings are told on the page. It may have a mebibyte.
const TOLD: usize = 100;
/// So many characters of a message are told there.
const MESSAGE: usize = 600;

/// Commands to the runner, a line each: errors for what is not as expected, warnings for seeds without a verdict. If
/// there are too many, the last one says how many more there are.
pub fn commands(accounts: &[Account]) -> String {
    let mut text = String::new();
    for (weight, command) in [(Weight::Bad, "error"), (Weight::Doubtful, "warning")] {
        let findings = all(accounts, weight);
        let shown = if findings.len() > SHOWN { SHOWN - 1 } else { findings.len() };
        for (account, finding) in &findings[..shown] {
            let title = format!("{}: {}", account.scenario, finding.title);
            let message = [finding.message(), finding.text.clone()].join("\n");
            let (file, title) = (property(&account.file), property(&title));
            text += &format!("::{command} file={file},title={title}::{}\n", data(message.trim_end()));
        }
        let more = findings.len() - shown;
        if more > 0 {
            let message = format!("{more} more of these; the summary of the step and the report have them");
            text += &format!("::{command} title=squall::{}\n", data(&message));
        }
    }
    text
}

/// The page: a table of the scenarios, then what is not as expected, each with its command.
pub fn page(accounts: &[Account]) -> String {
    let met = accounts.iter().filter(|account| account.is_expected).count();
    let mut text = format!("### squall: {met} of {} as expected\n\n", counted(accounts.len() as u64, "scenario"));
    text += "| | scenario | seeds | held | broke | without a verdict |\n|---|---|---:|---:|---:|---:|\n";
    for account in accounts {
        let is_bad = account.findings.iter().any(|finding| finding.weight == Weight::Bad);
        let mark = match (account.is_expected, account.is_complete) {
            (true, true) => "✅",
            (true, false) => "⏳",
            (false, _) if is_bad => "❌",
            (false, _) => "❔",
        };
        let part = if account.is_complete { "" } else { " (not complete)" };
        let Account { ran, passed, failed, inconclusive, .. } = *account;
        let [ran, passed, failed, doubtful] = [ran, passed, failed, inconclusive].map(count);
        let name = markdown(&account.scenario);
        text += &format!("| {mark} | {name} | {ran}{part} | {passed} | {failed} | {doubtful} |\n");
    }
    let mut told = all(accounts, Weight::Bad);
    told.extend(all(accounts, Weight::Doubtful));
    for (account, finding) in told.iter().take(TOLD) {
        let (scenario, title) = (markdown(&account.scenario), markdown(&finding.title));
        text += &format!("\n**{scenario}: {title}**  \n{}\n", markdown(&shortened(&finding.what)));
        text += &finding.command.as_ref().map_or(String::new(), |command| format!("\n{}\n", fenced(command)));
    }
    if told.len() > TOLD {
        text += &format!("\n{} more are in the report.\n", count((told.len() - TOLD) as u64));
    }
    text + "\n"
}

/// All findings of a weight, each with where it belongs.
fn all(accounts: &[Account], weight: Weight) -> Vec<(&Account, &Finding)> {
    let pairs = accounts.iter().flat_map(|account| account.findings.iter().map(move |finding| (account, finding)));
    pairs.filter(|(_, finding)| finding.weight == weight).collect()
}

/// The text of a command: <https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts>.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property of a command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Text that stays what it is in Markdown, also in a cell of a table.
fn markdown(text: &str) -> String {
    let mut safe = String::new();
    for sign in text.chars() {
        match sign {
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '&' => safe += "&amp;",
            // Somebody might have that name.
            '@' => safe += "&#64;",
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '!' | '|' | '~' | '$' => {
                safe.push('\\');
                safe.push(sign);
            }
            sign if sign.is_control() => safe.push(' '),
            sign => safe.push(sign),
        }
    }
    safe
}

/// A block of code, with a fence that is longer than any in it.
fn fenced(code: &str) -> String {
    let longest = code.split(|sign| sign != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}sh\n{code}\n{fence}")
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MESSAGE) {
        Some((place, _)) => format!("{} ...", &text[..place]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
