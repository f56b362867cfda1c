//! Numbers and lengths of time as people read them.

use std::time::Duration;

/// With a comma before every third digit: `1,204`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// With its noun: `1 kill`, `1,204 kills`.
pub fn counted(number: u64, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{} {noun}s", count(number)),
    }
}

/// Virtual time: `12.4s`, `2m 05s`, `1h 30m`.
pub fn virtual_time(ns: u64) -> String {
    let tenths = ns / 100_000_000;
    let secs = tenths / 10;
    match secs {
        0..60 => format!("{secs}.{}s", tenths % 10),
        60..3_600 => format!("{}m {:02}s", secs / 60, secs % 60),
        _ => format!("{}h {:02}m", count(secs / 3_600), secs / 60 % 60),
    }
}

/// Time that somebody waited: `850 us`, `4 ms`, `1.2 s`, `3 min`.
pub fn wall_time(wall: Duration) -> String {
    match wall.as_micros() {
        us @ 0..1_000 => format!("{us} us"),
        us @ 1_000..1_000_000 => format!("{} ms", us / 1_000),
        us @ 1_000_000..120_000_000 => format!("{}.{} s", us / 1_000_000, us / 100_000 % 10),
        us => format!("{} min", us / 60_000_000),
    }
}

/// Two digits and a word: `640`, `64 thousand`, `6.4 million`.
pub fn rounded(number: u64) -> String {
    let (unit, name) = match number {
        0..10_000 => return count(number),
        10_000..1_000_000 => (1_000, "thousand"),
        1_000_000..1_000_000_000 => (1_000_000, "million"),
        _ => (1_000_000_000, "billion"),
    };
    match number / unit {
        whole @ 0..10 => format!("{whole}.{} {name}", number / (unit / 10) % 10),
        whole => format!("{} {name}", count(whole)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([counted(1, "kill"), counted(2, "kill")], ["1 kill", "2 kills"]);
        assert_eq!(
            [0, 12_402_000_000, 125_000_000_000, 5_400_000_000_000].map(virtual_time),
            ["0.0s", "12.4s", "2m 05s", "1h 30m"]
        );
        assert_eq!(
            [850, 4_200, 1_250_000, 185_000_000].map(|us| wall_time(Duration::from_micros(us))),
            ["850 us", "4 ms", "1.2 s", "3 min"]
        );
        assert_eq!(
            [640, 64_000, 6_420_000, 64_000_000].map(rounded),
            ["640", "64 thousand", "6.4 million", "64 million"]
        );
    }
}
