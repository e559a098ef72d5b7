//! Periods of time, which let PostgreSQL read matching places newest first. A GIN index finds the places that contain
//! several keys, but not in order. So the keys of a place also name the periods that contain it, on eight levels:
//! each period contains four periods of the level below. A search reads the periods from the newest to the oldest and
//! stops when it has found enough.

/// For each level, the number of low bits of a place's number that vary within one period. The 16 lowest bits of the
/// number are not part of the time, which is in milliseconds. Four periods of the last level cover 139 years.
const LEVELS: [u32; 8] = [42, 44, 46, 48, 50, 52, 54, 56];

/// Number of bits of a place's number that are not part of the time.
const SEQUENCE_BITS: u32 = 16;

/// Returns the keys of the periods that contain all places with a number of at most `newest`, in groups from the newest
/// to the oldest. A group contains at most four periods, all of the same level. Each group covers more time than the
/// groups before it.
pub(super) fn newest_first(newest: i64) -> Vec<Vec<String>> {
    let newest = newest.max(0);
    let mut groups = Vec::new();
    for (at, bits) in LEVELS.iter().enumerate() {
        let last = newest >> bits;
        let first = last & !3;
        // The last period itself is covered by the groups of lower levels.
        let end = if at == 0 { last + 1 } else { last };
        let keys: Vec<String> = (first..end)
            .rev()
            .map(|period| format!("@{}.{period}", bits - SEQUENCE_BITS))
            .collect();
        if !keys.is_empty() {
            groups.push(keys);
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the first and the last number in a period.
    fn range(key: &str) -> (i64, i64) {
        let (level, period) = key[1..].split_once('.').unwrap();
        let bits = level.parse::<u32>().unwrap() + SEQUENCE_BITS;
        let period: i64 = period.parse().unwrap();
        (period << bits, (period + 1) << bits)
    }

    #[test]
    fn periods_cover_all_earlier_times_once_and_in_order() {
        for newest in [
            0,
            1,
            1 << 42,
            (1 << 44) - 1,
            1_790_000_000_000 << 16,
            4_000_000_000_000 << 16,
        ] {
            let keys: Vec<String> = newest_first(newest).concat();
            let ranges: Vec<(i64, i64)> = keys.iter().map(|key| range(key)).collect();
            assert!(ranges[0].0 <= newest && newest < ranges[0].1, "{newest}");
            for pair in ranges.windows(2) {
                assert_eq!(pair[0].0, pair[1].1, "{newest}");
            }
            assert_eq!(ranges.last().unwrap().0, 0, "{newest}");
        }
    }
}
