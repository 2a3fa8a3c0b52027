//! Every construct of access.conf(5), one row each; malformed lines; and any bytes at all.

use super::*;
use proptest::prelude::*;

fn read(text: &str) -> AccessFile {
    parse(text.as_bytes(), &Separators::default())
}

/// `sign|users|origins` for rules and `!why` for broken lines, in the order of the file.
fn shown(file: &AccessFile) -> Vec<(u32, String)> {
    let rules = file.rules.iter().map(|rule| {
        let sign = if rule.grants { "+" } else { "-" };
        (rule.line, format!("{sign}|{}|{}", rule.users.join(","), rule.origins.join(",")))
    });
    let broken = file.broken.iter().map(|broken| (broken.line, format!("!{}", broken.fault.as_str())));
    let mut all: Vec<_> = rules.chain(broken).collect();
    all.sort();
    all
}

#[test]
fn constructs() {
    for (line, expected) in [
        // The examples of the manual page.
        ("+:root:crond :0 tty1 tty2", "+|root|crond,:0,tty1,tty2"),
        ("+:root:192.168.200.1 192.168.200.4", "+|root|192.168.200.1,192.168.200.4"),
        ("+:root:192.168.201.", "+|root|192.168.201."),
        ("+:root:foo1.bar.org", "+|root|foo1.bar.org"),
        ("+:root:.foo.bar.org", "+|root|.foo.bar.org"),
        ("-:root:ALL", "-|root|ALL"),
        ("+:(1000) 1003:ALL", "+|(1000),1003|ALL"),
        ("+:@admins foo:ALL", "+|@admins,foo|ALL"),
        ("+:@@admins:@hosts", "+|@@admins|@hosts"),
        ("+:john foo:2001:db8:0:101::1", "+|john,foo|2001:db8:0:101::1"),
        ("+:john foo:fe80::de95:818c:1b55:7e42%eth1", "+|john,foo|fe80::de95:818c:1b55:7e42%eth1"),
        ("+:john:2001:db8:0:101::/64", "+|john|2001:db8:0:101::/64"),
        ("-:ALL EXCEPT (wheel) shutdown sync:LOCAL", "-|ALL,EXCEPT,(wheel),shutdown,sync|LOCAL"),
        ("-:ALL EXCEPT a EXCEPT b:ALL EXCEPT LOCAL", "-|ALL,EXCEPT,a,EXCEPT,b|ALL,EXCEPT,LOCAL"),
        ("+:alice@host bob@@group:NONE", "+|alice@host,bob@@group|NONE"),
        ("+:a:10.0.0.0/8 10.0.0.0/255.0.0.0", "+|a|10.0.0.0/8,10.0.0.0/255.0.0.0"),
        // Blanks, commas and tabs alike; blanks around separators; carriage returns.
        ("+ : root : ALL", "+|root|ALL"),
        ("+:a,b\tc, d:x,,y  ", "+|a,b,c,d|x,y"),
        ("+:a:b\r", "+|a|b"),
        ("+:a:b\x0b\x0c", "+|a|b"),
        // What pam_access does though the manual does not say it.
        ("+anything:a:b", "+|a|b"),
        ("+::a:b", "+|a|b"),
        ("+:a::b", "+|a|:b"),
        (":+:a:b", "-|a|b"),
        ("+:a:b # no comment", "+|a|b,#,no,comment"),
        ("+:a:b \\", "+|a|b,\\"),
        // Passed over.
        ("+:a", "!bad field count"),
        ("+:a:", "!bad field count"),
        ("+::a", "!bad field count"),
        (":::", "!bad field count"),
        ("no colons at all", "!bad field count"),
        (" #:a:b", "!bad first field"),
        (" +:a:b", "!bad first field"),
        ("allow:a:b", "!bad first field"),
        ("+: :b", "!empty list"),
        ("+:a:,", "!empty list"),
        ("+:a\0:b", "!zero byte"),
    ] {
        assert_eq!(shown(&read(&format!("{line}\n"))), [(1, expected.to_owned())], "{line:?}");
    }
}

#[test]
fn lines_that_say_nothing() {
    for text in ["", "\n", "   \t \n", "# +:a:b\n", "#", "#no newline", " ", "\0+:a:b\n", "\r\n\r\n"] {
        assert_eq!(read(text), AccessFile::default(), "{text:?}");
    }
}

#[test]
fn lines_are_counted_as_in_an_editor() {
    let file = read("# x\n\n+:a:b\nbroken\n\n-:ALL:ALL");
    let expected = [(3, "+|a|b"), (4, "!bad field count"), (6, "!missing newline")];
    assert_eq!(shown(&file), expected.map(|(line, text)| (line, text.to_owned())));
}

#[test]
fn other_separators() {
    let separators = Separators { fields: "|".to_owned(), lists: ",".to_owned() };
    let file = parse(b"+|domain users,b|2001:db8::1\n+:a:b\n", &separators);
    assert_eq!(shown(&file), [(1, "+|domain users,b|2001:db8::1".into()), (2, "!bad field count".into())]);
    let none = Separators { fields: String::new(), lists: String::new() };
    assert_eq!(shown(&parse(b"+:a:b\n", &none)), [(1, "!bad field count".into())]);
}

#[test]
fn names_that_are_no_text_stay_apart() {
    let one = parse(b"+:\xff:ALL\n", &Separators::default());
    let other = parse(b"+:\xfe:ALL\n", &Separators::default());
    assert_eq!(one.rules[0].users, ["\\xff"]);
    assert_ne!(one, other);
}

proptest! {
    #[test]
    fn any_bytes(bytes in prop::collection::vec(prop_oneof![Just(b':'), Just(b'\n'), Just(b'+'), any::<u8>()], 0..200)) {
        let file = parse(&bytes, &Separators::default());
        let lines = bytes.split(|byte| *byte == b'\n').count();
        prop_assert!(file.rules.len() + file.broken.len() <= lines);
    }

    #[test]
    fn a_rule_printed_is_the_rule(line in "[+-][:a-z@()., \t]{0,20}:[A-Za-z0-9:./% ]{0,20}") {
        for rule in read(&format!("{line}\n")).rules {
            prop_assert_eq!(read(&format!("{rule}\n")).rules, [rule]);
        }
    }
}
