//! What sshd is told otherwise, option by option, and how much that matters.
//!
//! Must not know files: neither where the directives are from nor what else is said of them.

use crate::parse::sshd_config::Directive;
use crate::said::{Said, text};
use crate::sshd_order;
use fim_core::{Change, Severity, Value};
use std::collections::HashMap;
#[cfg(feature = "generic_diff")]
use std::path::Path;

/// Keywords that decide who gets in, with what power, and what runs then; also by names they had in older versions, which
/// sshd still reads.
const GUARDS: [&str; 55] = [
    "acceptenv",
    "allowgroups",
    "allowusers",
    "authenticationmethods",
    "authorizedkeyscommand",
    "authorizedkeyscommanduser",
    "authorizedkeysfile",
    "authorizedprincipalscommand",
    "authorizedprincipalscommanduser",
    "authorizedprincipalsfile",
    "casignaturealgorithms",
    "challengeresponseauthentication",
    "chrootdirectory",
    "denygroups",
    "denyusers",
    "dsaauthentication",
    "forcecommand",
    "gssapiauthentication",
    "gssapistrictacceptorcheck",
    "hostbasedacceptedalgorithms",
    "hostbasedacceptedkeytypes",
    "hostbasedauthentication",
    "hostbasedusesnamefrompacketonly",
    "hostcertificate",
    "hostkey",
    "hostkeyagent",
    "ignorerhosts",
    "ignoreuserknownhosts",
    "include",
    "kbdinteractiveauthentication",
    "kerberosauthentication",
    "kerberosorlocalpasswd",
    "pamservicename",
    "passwordauthentication",
    "permitemptypasswords",
    "permitrootlogin",
    "permituserenvironment",
    "permituserrc",
    "pubkeyacceptedalgorithms",
    "pubkeyacceptedkeytypes",
    "pubkeyauthentication",
    "pubkeyauthoptions",
    "refuseconnection",
    "requiredrsasize",
    "revokedkeys",
    "securitykeyprovider",
    "setenv",
    "skeyauthentication",
    "sshdauthpath",
    "sshdsessionpath",
    "strictmodes",
    "subsystem",
    "trustedusercakeys",
    "usepam",
    "xauthlocation",
];

/// Whether a file is one of sshd's configuration, by its name: of its folder sshd reads `*.conf`.
#[cfg(feature = "generic_diff")]
pub(crate) fn decides(path: &Path) -> bool {
    let in_folder = path.parent().and_then(Path::file_name).is_some_and(|dir| dir == "sshd_config.d");
    (in_folder && path.extension().is_some_and(|it| it == "conf"))
        || path.file_name().is_some_and(|name| name == "sshd_config")
}

/// Says what is different, and whether the order of what is in both is. A keyword may be set more than once: all its values
/// under one `Match` are compared together.
pub(crate) fn compare(old: &[Directive], new: &[Directive], said: &mut Said) {
    let (before, after) = (options(old), options(new));
    let place: HashMap<_, _> = before.iter().enumerate().map(|(place, (name, _))| (*name, place)).collect();
    let values: HashMap<_, _> = before.iter().map(|(name, args)| (*name, args)).collect();
    let names: HashMap<_, _> = after.iter().map(|(name, args)| (*name, args)).collect();
    let mut last = None;
    let mut reordered = false;
    for (name, args) in &after {
        if let Some(place) = place.get(name) {
            reordered |= last > Some(*place);
            last = Some(*place);
        }
        let before = values.get(name);
        if before.is_none_or(|before| *before != args) {
            say(name, before.map(|args| args.as_slice()), Some(args), said);
        }
    }
    for (name, args) in before.iter().filter(|(name, _)| !names.contains_key(name)) {
        say(name, Some(args), None, said);
    }
    if sshd_order::matters(old, new) {
        said.say(Severity::High, || Change::new("order"));
    } else if reordered {
        said.say(Severity::Notable, || Change::new("order"));
    }
}

/// Under which `Match` which keyword.
type Name<'a> = (&'a [Vec<u8>], &'a [u8]);

/// The values of each keyword, in the order in which keywords come first.
fn options(directives: &[Directive]) -> Vec<(Name<'_>, Vec<&[Vec<u8>]>)> {
    let mut places: HashMap<Name<'_>, usize> = HashMap::new();
    let mut options: Vec<(Name<'_>, Vec<&[Vec<u8>]>)> = Vec::new();
    for one in directives {
        let name = (one.context.as_slice(), one.keyword.as_slice());
        let place = *places.entry(name).or_insert(options.len());
        match options.get_mut(place) {
            Some((_, values)) => values.push(&one.args),
            None => options.push((name, vec![&one.args])),
        }
    }
    options
}

fn say(name: &Name<'_>, before: Option<&[&[Vec<u8>]]>, after: Option<&[&[Vec<u8>]]>, said: &mut Said) {
    let keyword = text(name.1);
    let severity = if GUARDS.contains(&keyword.as_str()) { Severity::High } else { Severity::Notable };
    said.say(severity, || {
        let change = Change::from_to("sshd_option", shown(before), shown(after)).of("option", keyword);
        if name.0.is_empty() { change } else { change.of("match", words(name.0)) }
    });
}

fn shown(values: Option<&[&[Vec<u8>]]>) -> Value {
    match values {
        None => Value::Null,
        Some([one]) => words(one).into(),
        Some(several) => Value::List(several.iter().map(|args| words(args).into()).collect()),
    }
}

/// Words in one line, in quotes where they have blanks.
fn words(words: &[Vec<u8>]) -> String {
    let shown = words.iter().map(|word| match text(word) {
        word if word.is_empty() || word.contains([' ', '\t']) => format!("\"{word}\""),
        word => word,
    });
    shown.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::sshd_config::parse;

    /// What is said of a change from one text to another, and how much it matters.
    fn said(before: &str, after: &str) -> (Vec<String>, Option<Severity>) {
        let mut said = Said::default();
        compare(&parse(before.as_bytes()).directives, &parse(after.as_bytes()).directives, &mut said);
        let mut cx = fim_core::Context::new(None, None);
        said.tell(&mut cx);
        let answer = cx.into_answer();
        (answer.changes.into_iter().map(|change| change.what).collect(), answer.severity)
    }

    #[test]
    fn what_decides_who_gets_in_or_what_runs_matters() {
        for (line, severity) in [
            ("RevokedKeys /etc/ssh/revoked", Severity::High),
            ("PubkeyAcceptedKeyTypes +ssh-dss", Severity::High),
            ("HostbasedAcceptedKeyTypes *", Severity::High),
            ("HostbasedAcceptedAlgorithms *", Severity::High),
            ("AuthorizedPrincipalsCommandUser root", Severity::High),
            ("SecurityKeyProvider /tmp/x.so", Severity::High),
            ("SshdSessionPath /tmp/x", Severity::High),
            ("SshdAuthPath /tmp/x", Severity::High),
            ("PermitUserRC yes", Severity::High),
            ("SetEnv LD_PRELOAD=/tmp/x.so", Severity::High),
            ("PAMServiceName other", Severity::High),
            ("X11Forwarding yes", Severity::Notable),
            ("Port 2222", Severity::Notable),
        ] {
            for (before, after) in [("", line), (line, "")] {
                assert_eq!(said(before, after), (vec!["sshd_option".to_owned()], Some(severity)), "{line}");
            }
        }
    }
}
