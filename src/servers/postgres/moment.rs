//! Timestamps and intervals as text. The server's time zone is UTC.

/// Microseconds in a day.
const DAY: i64 = 86_400_000_000;

/// `2026-11-28 09:45:00.25+00`.
pub(super) fn timestamp_text(micros: i64) -> String {
    let (year, month, day) = civil(micros.div_euclid(DAY));
    format!("{year:04}-{month:02}-{day:02} {}+00", clock_text(micros.rem_euclid(DAY)))
}

fn clock_text(micros: i64) -> String {
    let (seconds, part) = (micros / 1_000_000, micros % 1_000_000);
    let text = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if part == 0 {
        return text;
    }
    format!("{text}.{}", format!("{part:06}").trim_end_matches('0'))
}

/// `1 day 02:00:00`.
pub(super) fn interval_text(micros: i64) -> String {
    let (days, rest) = (micros / DAY, micros % DAY);
    let sign = if rest < 0 { "-" } else { "" };
    let clock = format!("{sign}{}", clock_text(rest.abs()));
    match (days, rest) {
        (0, _) => clock,
        (_, 0) => format!("{days} {}", if days == 1 { "day" } else { "days" }),
        _ => format!("{days} {} {clock}", if days == 1 { "day" } else { "days" }),
    }
}

/// Year, month and day of a day since 1970, in the Gregorian calendar.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Reads `YYYY-MM-DD[ HH:MM[:SS[.ffffff]][+ZZ]]`; `epoch`, too.
pub(super) fn parse_timestamp(text: &str) -> Option<i64> {
    if text == "epoch" {
        return Some(0);
    }
    let (date, rest) = text.split_once([' ', 'T']).unwrap_or((text, ""));
    let mut numbers = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (numbers.next()??, numbers.next()??, numbers.next()??);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let (clock, zone) = match rest.rfind(['+', '-']) {
        Some(at) => (&rest[..at], &rest[at..]),
        None => (rest.trim_end_matches('Z'), "+0"),
    };
    let hours: i64 = zone.split(':').next()?.parse().ok()?;
    let clock = if clock.is_empty() { 0 } else { parse_clock(clock)? };
    Some(days_of(year, month, day) * DAY + clock - hours * 3_600_000_000)
}

fn parse_clock(text: &str) -> Option<i64> {
    let mut parts = text.split(':');
    let (hours, minutes) = (parts.next()?.parse::<i64>().ok()?, parts.next()?.parse::<i64>().ok()?);
    let seconds = parts.next().map_or(Some(0), |part| scaled(part, 1_000_000))?;
    Some(hours * 3_600_000_000 + minutes * 60_000_000 + seconds)
}

/// A decimal number times a unit.
fn scaled(text: &str, unit: i64) -> Option<i64> {
    let (negative, body) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, part) = body.split_once('.').unwrap_or((body, ""));
    let mut value = if whole.is_empty() { 0 } else { whole.parse::<i64>().ok()? }.checked_mul(unit)?;
    let mut place = unit;
    for digit in part.chars() {
        // What is smaller than a microsecond is cut off.
        place /= 10;
        value += i64::from(digit.to_digit(10)?) * place;
    }
    Some(if negative { -value } else { value })
}

/// Reads `500 ms`, `1 hour 30 minutes`, `00:00:05` and the like.
pub(super) fn parse_interval(text: &str) -> Option<i64> {
    let spaced = separate(text);
    let mut words = spaced.split_whitespace().peekable();
    let mut total = 0_i64;
    words.peek()?;
    while let Some(word) = words.next() {
        if word == "ago" {
            total = -total;
        } else if word.contains(':') {
            total += parse_clock(word)?;
        } else {
            total += scaled(word, unit_of(words.next().unwrap_or("s"))?)?;
        }
    }
    Some(total)
}

/// Puts a space between a number and its unit.
fn separate(text: &str) -> String {
    let mut out = String::new();
    let mut last = ' ';
    for sign in text.chars() {
        if sign.is_ascii_alphabetic() && last.is_ascii_digit() {
            out.push(' ');
        }
        out.push(sign);
        last = sign;
    }
    out
}

/// The microseconds of a unit of time.
pub(super) fn unit_of(name: &str) -> Option<i64> {
    Some(match name {
        "us" | "usec" | "usecs" | "microsecond" | "microseconds" => 1,
        "ms" | "msec" | "msecs" | "millisecond" | "milliseconds" => 1_000,
        "s" | "sec" | "secs" | "second" | "seconds" => 1_000_000,
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000_000,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600_000_000,
        "d" | "day" | "days" => DAY,
        "w" | "week" | "weeks" => 7 * DAY,
        "mon" | "mons" | "month" | "months" => 30 * DAY,
        "y" | "year" | "years" => 365 * DAY + DAY / 4,
        _ => return None,
    })
}
