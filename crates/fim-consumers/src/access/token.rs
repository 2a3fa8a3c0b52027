//! What a token of a rule matches, so far as it can be told without looking up users, groups or hosts.
//!
//! A token stands for whoever it names and nobody else names: `(wheel)` for a member of that group who is
//! mentioned nowhere by name, `10.0.0.0/8` for an address in it that no other token singles out. Names are
//! compared without regard to case, as `pam_access` does; those in parentheses with.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether it is this keyword; `pam_access` takes them in any case.
pub(super) fn is_keyword(token: &str, keyword: &str) -> bool {
    token.eq_ignore_ascii_case(keyword)
}

/// Somebody to be let in or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// Whom this token names.
    Token(String),
    /// Whom no token names.
    Other,
}

/// Whether a token of the second field matches. A name without parentheses is a user's or a group's, but
/// with `nodefgroup` a user's alone.
pub(super) fn matches_user(token: &str, who: &Who, nodefgroup: bool) -> bool {
    if is_keyword(token, "ALL") {
        return true;
    }
    let Who::Token(named) = who else { return false };
    if is_group(token) || is_group(named) {
        return token == named || (!nodefgroup && named.get(1..named.len().saturating_sub(1)) == Some(token));
    }
    match (at_host(token), at_host(named)) {
        (Some((user, host)), Some((named, at))) => {
            matches_user(user, &Who::Token(named.to_owned()), nodefgroup)
                && Origin::of(host).covers(&Origin::of(at))
        }
        // Somebody on any host but the one named.
        (Some(_), None) => false,
        (None, Some((named, _))) => matches_user(token, &Who::Token(named.to_owned()), nodefgroup),
        (None, None) => token.eq_ignore_ascii_case(named),
    }
}

fn is_group(token: &str) -> bool {
    token.starts_with('(') && token.ends_with(')')
}

/// `user@host`; the `@` of a netgroup is part of the user.
fn at_host(token: &str) -> Option<(&str, &str)> {
    let name = token.trim_start_matches('@');
    let at = name.find('@')? + token.len() - name.len();
    Some((token.get(..at)?, token.get(at + 1..)?))
}

/// Where somebody comes from, or a token of the third field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Addresses `address & mask`, of IPv6 if `six`.
    Net { six: bool, address: u128, mask: u128 },
    /// A host, terminal, display or service; in lower case.
    Name(String),
    /// `.domain`, in lower case.
    Domain(String),
    /// Not by the network, from no terminal or service that is named.
    Local,
    /// From anywhere, as a token; as an origin, from where no token names.
    Any,
}

impl Origin {
    pub(super) fn of(token: &str) -> Self {
        if is_keyword(token, "ALL") {
            Self::Any
        } else if is_keyword(token, "LOCAL") {
            Self::Local
        } else if let Some(net) = net(token) {
            net
        } else if token.starts_with('.') {
            Self::Domain(token.to_ascii_lowercase())
        } else {
            Self::Name(token.to_ascii_lowercase())
        }
    }

    /// Whether all of `other` comes from here.
    pub(super) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (
                Self::Net { six, address, mask },
                Self::Net { six: other_six, address: other, mask: other_mask },
            ) => six == other_six && mask & other_mask == *mask && other & mask == address & mask,
            (Self::Domain(domain), Self::Name(host)) => host.len() > domain.len() && host.ends_with(domain),
            (Self::Domain(domain), Self::Domain(other)) => other.ends_with(domain),
            (Self::Local, Self::Name(name)) => is_local(name),
            _ => self == other,
        }
    }
}

/// The manual wants hosts written with their domain, so that they are not taken for terminals or services.
fn is_local(name: &str) -> bool {
    name.starts_with(':') || !(name.contains(['.', ':', '@']) || name == "localhost")
}

/// `192.168.1.`, an address, or `address/mask`. With a mask of 0 bits, or one of the other family,
/// `pam_access` compares whole addresses: `0.0.0.0/0` is one address, not all of them.
fn net(token: &str) -> Option<Origin> {
    if let Some(parts) = token.strip_suffix('.') {
        return number(parts);
    }
    let (text, mask) = token.split_once('/').map_or((token, None), |(text, mask)| (text, Some(mask)));
    let (six, address) = address(text)?;
    let all = if six { u128::MAX } else { u128::from(u32::MAX) };
    let mask = match mask {
        None => all,
        Some(mask) => match self::address(mask) {
            Some((mask_six, mask)) if mask_six == six => mask,
            Some(_) => all,
            None => match bits(mask).filter(|bits| *bits <= if six { 128 } else { 32 })? {
                0 => all,
                bits => all & !(all.checked_shr(bits).unwrap_or(0)),
            },
        },
    };
    Some(Origin::Net { six, address, mask })
}

fn address(text: &str) -> Option<(bool, u128)> {
    let four = text.parse::<Ipv4Addr>().map(|it| (false, u128::from(u32::from(it))));
    four.or_else(|_| text.parse::<Ipv6Addr>().map(|it| (true, u128::from(it)))).ok()
}

/// A count as `strtol` reads it with base 0.
fn bits(text: &str) -> Option<u32> {
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        u32::from_str_radix(hex, 16).ok()
    } else if text.len() > 1 && text.starts_with('0') {
        u32::from_str_radix(text, 8).ok()
    } else {
        text.parse().ok()
    }
}

/// Compared as text with addresses, so no zeros in front.
fn number(parts: &str) -> Option<Origin> {
    let (mut address, mut mask) = (0_u32, 0_u32);
    let mut shift = 32_u32;
    for part in parts.split('.') {
        shift = shift.checked_sub(8)?;
        let byte: u8 = part.parse().ok()?;
        if byte.to_string() != part {
            return None;
        }
        address |= u32::from(byte) << shift;
        mask |= 0xff << shift;
    }
    Some(Origin::Net { six: false, address: address.into(), mask: mask.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users() {
        let who = |name: &str| match name {
            "*" => Who::Other,
            name => Who::Token(name.to_owned()),
        };
        for (token, name, expected) in [
            ("ALL", "*", true),
            ("all", "(x)", true),
            ("root", "root", true),
            ("ROOT", "root", true),
            ("root", "*", false),
            ("root", "bob", false),
            ("(wheel)", "(wheel)", true),
            ("(wheel)", "(Wheel)", false),
            ("(wheel)", "wheel", false),
            ("wheel", "(wheel)", true),
            ("(", "(", true),
            ("()", "(", false),
            ("(", ")", false),
            ("@admins", "@admins", true),
            ("@admins", "@@admins", false),
            ("alice", "alice@host", true),
            ("alice@host", "alice", false),
            ("alice@host", "alice@host", true),
            ("ALL@host", "alice@host", true),
            ("alice@.bar.org", "alice@foo.bar.org", true),
            ("alice@other", "alice@host", false),
            ("@g@host", "@g@host", true),
            ("bob", "alice@host", false),
            ("é", "(é)", true),
        ] {
            assert_eq!(matches_user(token, &who(name), false), expected, "{token} {name}");
        }
        assert!(!matches_user("wheel", &who("(wheel)"), true));
        assert!(matches_user("wheel", &who("wheel"), true));
    }

    #[test]
    fn origins() {
        for (token, from, expected) in [
            ("ALL", "anything", true),
            ("tty1", "TTY1", true),
            ("tty1", "tty2", false),
            ("LOCAL", "LOCAL", true),
            ("local", "tty1", true),
            ("LOCAL", ":0.0", true),
            ("LOCAL", "crond", true),
            ("LOCAL", "host.bar.org", false),
            ("LOCAL", "localhost", false),
            ("LOCAL", "10.0.0.1", false),
            ("LOCAL", "@hosts", false),
            ("LOCAL", "ALL", false),
            ("tty1", "LOCAL", false),
            (".bar.org", "foo.bar.org", true),
            (".bar.org", ".foo.BAR.org", true),
            (".bar.org", "bar.org", false),
            (".bar.org", "foobar.org", false),
            ("10.", "10.1.2.3", true),
            ("10.", "11.1.2.3", false),
            ("192.168.201.", "192.168.201.0/24", true),
            ("192.168.201.0/255.255.255.0", "192.168.201.", true),
            ("192.168.", "192.168.201.0/24", true),
            ("192.168.201.0/24", "192.168.", false),
            ("10.0.0.1/8", "10.9.9.9", true),
            ("0.0.0.0/0", "10.9.9.9", false),
            ("0.0.0.0/0", "0.0.0.0", true),
            ("10.0.0.0/010", "10.9.9.9", true),
            ("10.0.0.0/0x8", "10.9.9.9", true),
            ("10.0.0.0/33", "10.0.0.0", false),
            ("10.0.0.0/ff00::", "10.0.0.1", false),
            ("2001:db8::/32", "2001:db8:0:101::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("2001:db8:0:0::1", "2001:db8::1", true),
            ("::/1", "10.0.0.1", false),
            ("fe80::1%eth1", "fe80::1%eth1", true),
            ("fe80::1%eth1", "fe80::1", false),
            ("1.2.3.4.5.", "1.2.3.4", false),
            ("01.", "1.2.3.4", false),
            ("NONE", "NONE", true),
            ("NONE", "ALL", false),
            ("@hosts", "@hosts", true),
        ] {
            assert_eq!(Origin::of(token).covers(&Origin::of(from)), expected, "{token} {from}");
        }
    }
}
