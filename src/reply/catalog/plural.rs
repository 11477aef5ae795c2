//! Plural categories of whole numbers (Unicode CLDR, "Language Plural Rules").

/// The category of a whole number, by the name of a language's rule (`plural` in its catalogue). A rule that is unknown has
/// `other` alone.
#[must_use]
pub fn category(rule: &str, n: u64) -> &'static str {
    match rule {
        "one-other" if n == 1 => "one",
        "zero-one-other" if n <= 1 => "one",
        "one-two-other" if n == 1 => "one",
        "one-two-other" if n == 2 => "two",
        "east-slavic" => east_slavic(n),
        "polish" if n == 1 => "one",
        "polish" if is_few(n) => "few",
        "polish" => "many",
        "arabic" => arabic(n),
        _ => "other",
    }
}

/// The categories that whole numbers have by a rule; `None` where there is no such rule.
#[must_use]
pub fn categories(rule: &str) -> Option<&'static [&'static str]> {
    Some(match rule {
        "only-other" => &["other"],
        "one-other" | "zero-one-other" => &["one", "other"],
        "one-two-other" => &["one", "two", "other"],
        // `other` is for fractions, which no text of ours has; it stands in for what is missing.
        "east-slavic" | "polish" => &["one", "few", "many", "other"],
        "arabic" => &["zero", "one", "two", "few", "many", "other"],
        _ => return None,
    })
}

const fn east_slavic(n: u64) -> &'static str {
    match (n % 10, n % 100) {
        (1, last_two) if last_two != 11 => "one",
        _ if is_few(n) => "few",
        _ => "many",
    }
}

/// 2 to 4, 22 to 24 and so on, without 12 to 14.
const fn is_few(n: u64) -> bool {
    matches!(n % 10, 2..=4) && !matches!(n % 100, 12..=14)
}

const fn arabic(n: u64) -> &'static str {
    match (n, n % 100) {
        (0, _) => "zero",
        (1, _) => "one",
        (2, _) => "two",
        (_, 3..=10) => "few",
        (_, 11..) => "many",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The samples that CLDR 47 gives for each rule and category.
    const CLDR: [(&str, &str, &[u64]); 19] = [
        ("only-other", "other", &[0, 1, 2, 15, 100, 1000, 1_000_000]),
        ("one-other", "one", &[1]),
        ("one-other", "other", &[0, 2, 16, 21, 101, 1000, 1_000_000]),
        ("zero-one-other", "one", &[0, 1]),
        ("zero-one-other", "other", &[2, 17, 100, 101, 1000, 1_000_000]),
        ("one-two-other", "one", &[1]),
        ("one-two-other", "two", &[2]),
        ("one-two-other", "other", &[0, 3, 17, 20, 22, 100, 102, 1000, 1_000_000]),
        ("east-slavic", "one", &[1, 21, 31, 81, 101, 1001]),
        ("east-slavic", "few", &[2, 3, 4, 22, 24, 32, 34, 62, 102, 1002]),
        ("east-slavic", "many", &[0, 5, 11, 12, 14, 19, 20, 100, 111, 112, 114, 1000, 1_000_000]),
        ("polish", "one", &[1]),
        ("polish", "few", &[2, 3, 4, 22, 24, 32, 34, 62, 102, 1002]),
        ("polish", "many", &[0, 5, 11, 12, 14, 19, 20, 21, 31, 101, 111, 112, 1000, 1_000_000]),
        ("arabic", "zero", &[0]),
        ("arabic", "two", &[2]),
        ("arabic", "few", &[3, 10, 103, 110, 1003]),
        ("arabic", "many", &[11, 26, 99, 111, 1011]),
        ("arabic", "other", &[100, 101, 102, 200, 202, 1000, 1_000_000]),
    ];

    #[test]
    fn as_cldr_has_it() {
        for (rule, wanted, numbers) in CLDR {
            for number in numbers {
                assert_eq!(category(rule, *number), wanted, "{rule} {number}");
            }
        }
        assert_eq!(category("arabic", 1), "one");
        assert_eq!((category("", 1), categories("")), ("other", None));
    }

    proptest! {
        #[test]
        fn every_number_has_one_of_its_rules_categories(n in any::<u64>(), small in 0..1000u64) {
            for rule in ["only-other", "one-other", "zero-one-other", "one-two-other", "east-slavic", "polish", "arabic"] {
                let categories = categories(rule).expect(rule);
                prop_assert!([n, small].iter().all(|n| categories.contains(&category(rule, *n))), "{} {} {}", rule, n, small);
            }
        }
    }
}
