//! Quantities as people write them: sizes, durations, modes, owners, points in time. Pure.

/// Bytes for people: `1.4 GB`, powers of 1000.
#[must_use]
pub fn bytes(count: u64) -> String {
    let mut scaled = count as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        // 999.95 would be rounded to 1000.0.
        if scaled < 999.95 {
            return if unit == "B" { format!("{count} B") } else { format!("{scaled:.1} {unit}") };
        }
        scaled /= 1000.0;
    }
    format!("{scaled:.1} TB")
}

/// A number of things: `1 image`, `2 images`.
#[must_use]
pub fn counted(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

/// Reads a size: `4 GB` (powers of 1000), `4GiB` (powers of 1024), or plain bytes.
///
/// # Errors
/// What is wrong with the text.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text);
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1000,
        "kib" => 1 << 10,
        "m" | "mb" => 1_000_000,
        "mib" => 1 << 20,
        "g" | "gb" => 1_000_000_000,
        "gib" => 1 << 30,
        "t" | "tb" => 1_000_000_000_000,
        "tib" => 1 << 40,
        _ => return Err(format!("`{text}` is not a size; write for instance \"4 GB\" or \"512 MiB\"")),
    };
    let wrong = || format!("`{text}` is not a size; write for instance \"4 GB\" or \"512 MiB\"");
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let whole: u64 = whole.parse().map_err(|_| wrong())?;
    if fraction.len() > 6 || (number.contains('.') && !all_digits(fraction)) {
        return Err(wrong());
    }
    let scale = 10_u64.pow(u32::try_from(fraction.len()).unwrap_or(0));
    let parts: u64 = if fraction.is_empty() { 0 } else { fraction.parse().map_err(|_| wrong())? };
    let rest = u128::from(parts) * u128::from(factor) / u128::from(scale);
    u64::try_from(u128::from(whole) * u128::from(factor) + rest).map_err(|_| format!("`{text}` is too large"))
}

/// Reads a duration in seconds: `90s`, `5m`, `1h`, or plain seconds.
///
/// # Errors
/// What is wrong with the text.
pub fn parse_seconds(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text);
    let factor = match unit {
        "" | "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        _ => 0,
    };
    match number.parse::<u64>() {
        Ok(number) if number > 0 && factor > 0 && number < 1_000_000 => Ok(number * factor),
        _ => Err(format!("`{text}` is not a duration; write for instance \"60s\" or \"5m\"")),
    }
}

/// Reads permission bits in octal, at most 0777.
///
/// # Errors
/// What is wrong with the text.
pub fn parse_mode(text: &str) -> Result<u32, String> {
    match u32::from_str_radix(text, 8) {
        Ok(mode) if mode <= 0o777 && all_digits(text) => Ok(mode),
        _ => Err(format!("`{text}` is not a mode; write octal permission bits, for instance \"0755\"")),
    }
}

/// Reads a numeric owner and group, `uid:gid`.
///
/// # Errors
/// What is wrong with the text.
pub fn parse_owner(text: &str) -> Result<(u32, u32), String> {
    let number = |part: &str| if all_digits(part) { part.parse::<u32>().ok() } else { None };
    text.split_once(':')
        .and_then(|(uid, gid)| Some((number(uid)?, number(gid)?)))
        .ok_or_else(|| format!("`{text}` is not an owner; write numbers, for instance \"1000:1000\""))
}

/// Reads a point in time as OCI configs give it (RFC 3339), as seconds since 1970. Times before that count as 0.
#[must_use]
pub fn parse_time(text: &str) -> Option<u64> {
    let number =
        |range: std::ops::Range<usize>| text.get(range).filter(|part| all_digits(part))?.parse::<i64>().ok();
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    let zone = text.get(19..)?.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let offset = match zone.as_bytes().first()? {
        b'Z' | b'z' => 0,
        sign @ (b'+' | b'-') => {
            let (hours, minutes) = zone.get(1..)?.split_once(':')?;
            let seconds = hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60;
            if *sign == b'+' { seconds } else { -seconds }
        }
        _ => return None,
    };
    let seconds = days_since_1970(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset;
    Some(u64::try_from(seconds).unwrap_or(0))
}

/// Days from 1970-01-01 in the Gregorian calendar (Howard Hinnant's `days_from_civil`).
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    (&text[..end], text[end..].trim())
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_are_read_in_both_systems() {
        for (text, size) in [
            ("4 GB", 4_000_000_000),
            ("4GiB", 4 << 30),
            ("1.5 MB", 1_500_000),
            ("0.5KiB", 512),
            ("77", 77),
            ("2t", 2_000_000_000_000),
        ] {
            assert_eq!(parse_size(text), Ok(size), "{text}");
        }
        for bad in ["", "GB", "4 XB", "-1 GB", "1.2.3 GB", "1. GB", "99999999999 TB", "四 GB"] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes_are_shown_with_one_decimal() {
        for (count, text) in
            [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (999_999, "1.0 MB"), (1_400_000_000, "1.4 GB")]
        {
            assert_eq!(bytes(count), text);
        }
    }

    #[test]
    fn durations_modes_and_owners_are_read_or_refused() {
        assert_eq!(parse_seconds("90s"), Ok(90));
        assert_eq!(parse_seconds("5m"), Ok(300));
        assert_eq!(parse_seconds("7"), Ok(7));
        assert_eq!(parse_mode("0755"), Ok(0o755));
        assert_eq!(parse_owner("1000:0"), Ok((1000, 0)));
        assert!(["", "0s", "5 days", "s"].iter().all(|bad| parse_seconds(bad).is_err()));
        assert!(["", "8", "1777", "+7", "rwx"].iter().all(|bad| parse_mode(bad).is_err()));
        assert!(["", "1000", "root:root", "-1:0", "+1:0"].iter().all(|bad| parse_owner(bad).is_err()));
    }

    #[test]
    fn times_are_read_with_fractions_and_zones() {
        assert_eq!(parse_time("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(parse_time("2024-02-29T12:34:56.789012345Z"), Some(1_709_210_096));
        assert_eq!(parse_time("2024-02-29T13:34:56+01:00"), Some(1_709_210_096));
        assert_eq!(parse_time("0001-01-01T00:00:00Z"), Some(0));
        assert_eq!(parse_time("yesterday"), None);
    }

    proptest! {
        #[test]
        fn whole_sizes_survive(count in 0_u64..u64::MAX / 1024) {
            prop_assert_eq!(parse_size(&format!("{count}")), Ok(count));
            prop_assert_eq!(parse_size(&format!("{count} KiB")), Ok(count * 1024));
        }

        #[test]
        fn no_text_makes_a_reader_panic(text in "\\PC*") {
            let _ = (parse_size(&text), parse_seconds(&text), parse_mode(&text), parse_owner(&text), parse_time(&text));
        }
    }
}
