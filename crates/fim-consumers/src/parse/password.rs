//! What a password field says: `passwd`, `shadow`, `group` and `gshadow` have one in each entry.
//!
//! Forms of hashes: crypt(5). Locking by a `!` in front: usermod(8), shadow(5).

/// A password field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Password<'a> {
    /// `x`: it is in the shadow file.
    Elsewhere,
    /// Empty: none is asked for.
    Empty,
    /// Nothing that a password could match: `*`, `!`, `!!`, …
    Unusable,
    /// A hash.
    Hash {
        /// The hash itself: a secret.
        hash: &'a [u8],
        /// How it was made.
        scheme: Scheme,
        /// A `!` in front keeps it from matching.
        locked: bool,
    },
}

impl<'a> Password<'a> {
    /// Reads the field of a shadow file.
    #[must_use]
    pub fn in_shadow(field: &'a [u8]) -> Self {
        // A blank is a password like any other that nothing matches: nobody trims it.
        if field.is_empty() {
            return Self::Empty;
        }
        let bangs = field.iter().take_while(|byte| **byte == b'!').count();
        let hash = field.get(bangs..).unwrap_or_default();
        match Scheme::of(hash) {
            Some(scheme) => Self::Hash { hash, scheme, locked: bangs > 0 },
            None => Self::Unusable,
        }
    }

    /// Reads the field of `passwd` or `group`, where `x` points to the shadow file.
    #[must_use]
    pub fn in_public(field: &'a [u8]) -> Self {
        if field == b"x" { Self::Elsewhere } else { Self::in_shadow(field) }
    }
}

/// How a hash was made, from the weakest to the strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)] // the names say it
pub enum Scheme {
    Des,
    BigCrypt,
    BsdiCrypt,
    Nt,
    Md5,
    SunMd5,
    Sha1,
    Unknown,
    Sha256,
    Sha512,
    Bcrypt,
    Scrypt,
    GostYescrypt,
    Yescrypt,
}

/// All of them, with the prefix in crypt(5) and the word in reports. The place in this list is how they are
/// kept: append only.
const SCHEMES: [(Scheme, &str, &[&[u8]]); 14] = [
    (Scheme::Yescrypt, "yescrypt", &[b"$y$"]),
    (Scheme::GostYescrypt, "gost_yescrypt", &[b"$gy$"]),
    (Scheme::Scrypt, "scrypt", &[b"$7$"]),
    (Scheme::Bcrypt, "bcrypt", &[b"$2a$", b"$2b$", b"$2x$", b"$2y$"]),
    (Scheme::Sha512, "sha512", &[b"$6$"]),
    (Scheme::Sha256, "sha256", &[b"$5$"]),
    (Scheme::Sha1, "sha1", &[b"$sha1"]),
    (Scheme::SunMd5, "sun_md5", &[b"$md5"]),
    (Scheme::Md5, "md5", &[b"$1$"]),
    (Scheme::Nt, "nt", &[b"$3$"]),
    (Scheme::BsdiCrypt, "bsdi_des", &[]),
    (Scheme::BigCrypt, "bigcrypt", &[]),
    (Scheme::Des, "des", &[]),
    (Scheme::Unknown, "unknown", &[b"$", b"{"]),
];

impl Scheme {
    /// By the form of a hash; `None` if no password gives it.
    #[must_use]
    pub fn of(hash: &[u8]) -> Option<Self> {
        let prefixed =
            SCHEMES.iter().find(|(_, _, prefixes)| prefixes.iter().any(|prefix| hash.starts_with(prefix)));
        if let Some((scheme, _, prefixes)) = prefixed {
            let has_more =
                prefixes.iter().any(|prefix| hash.starts_with(prefix) && hash.len() > prefix.len());
            return has_more.then_some(*scheme);
        }
        let is_salted =
            |text: &[u8]| text.iter().all(|byte| matches!(byte, b'.'..=b'9' | b'A'..=b'Z' | b'a'..=b'z'));
        match hash {
            [b'_', rest @ ..] if rest.len() == 19 && is_salted(rest) => Some(Self::BsdiCrypt),
            _ if !is_salted(hash) => None,
            _ if hash.len() == 13 => Some(Self::Des),
            _ if (24..=178).contains(&hash.len()) && hash.len() % 11 == 2 => Some(Self::BigCrypt),
            _ => None,
        }
    }

    /// The word for it in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        SCHEMES.iter().find(|(scheme, ..)| *scheme == self).map_or("unknown", |(_, word, _)| word)
    }

    /// The number it is kept by.
    #[must_use]
    pub fn number(self) -> u8 {
        let place = SCHEMES.iter().position(|(scheme, ..)| *scheme == self);
        place.and_then(|place| u8::try_from(place).ok()).unwrap_or(u8::MAX)
    }

    /// The scheme of a number that was kept.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        SCHEMES.get(usize::from(number)).map(|(scheme, ..)| *scheme)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_shadow() {
        for (field, word, locked) in [
            ("$y$j9T$abc$def", "yescrypt", false),
            ("!$y$j9T$abc$def", "yescrypt", true),
            ("!!$6$a$b", "sha512", true),
            ("$5$rounds=9$a$b", "sha256", false),
            ("$2b$12$abc", "bcrypt", false),
            ("$1$a$b", "md5", false),
            ("$md5,rounds=1$a", "sun_md5", false),
            ("$sha1$1$a", "sha1", false),
            ("$gy$j9T$a", "gost_yescrypt", false),
            ("$7$a", "scrypt", false),
            ("$3$$a", "nt", false),
            ("$argon2id$a", "unknown", false),
            ("{SSHA}abc", "unknown", false),
            ("abJnggxhB/yWI", "des", false),
            ("_J9..CCCCXBrJUJV154M", "bsdi_des", false),
            ("abJnggxhB/yWIabJnggxhB/y", "bigcrypt", false),
        ] {
            let Password::Hash { scheme, locked: is_locked, .. } = Password::in_shadow(field.as_bytes())
            else {
                panic!("{field}");
            };
            assert_eq!((scheme.as_str(), is_locked), (word, locked), "{field}");
            assert_eq!(Scheme::from_number(scheme.number()), Some(scheme));
        }
        for field in ["*", "!", "!!", "!*", "*LK*", "x", "NP", "$", "$6$", "a b", " ", "\r", " $6$a$b"] {
            assert_eq!(Password::in_shadow(field.as_bytes()), Password::Unusable, "{field}");
        }
        assert_eq!(Password::in_shadow(b""), Password::Empty);
        assert_eq!(Password::in_public(b"x"), Password::Elsewhere);
        assert_eq!(Password::in_public(b""), Password::Empty);
    }

    #[test]
    fn weaker_schemes_are_smaller() {
        assert!(
            Scheme::Md5 < Scheme::Sha256 && Scheme::Sha512 < Scheme::Yescrypt && Scheme::Des < Scheme::Md5
        );
    }
}
