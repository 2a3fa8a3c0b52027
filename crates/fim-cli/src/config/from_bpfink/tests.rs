//! What comes out is a configuration of ours, and nothing of what went in is lost without a word.

use super::*;
use crate::config::{Access, Config, Format, Graphite, Role, Users};
use std::path::Path;

fn converted(text: &str) -> (Converted, Config) {
    let converted = convert(text).unwrap();
    let config = crate::config::load::parse(&converted.text)
        .unwrap_or_else(|error| panic!("{error:?}\n{}", converted.text));
    (converted, config)
}

const WHOLE: &str = r#"
debug = true
level = "info"
database = "bpfink.db"
keyfile = "bpfink.key"
bcc = "pkg/ebpf/vfs.o"

[consumers]
root = "/"
access = "/etc/security/access.conf"
genericDiff = ["/sudoers", "/etc/sudoers.d"]
generic = ["/etc", "/opt/*/conf/**/x{1}[!a][^b]"]
excludes = ["\\.swp$", "(", "dir-[0-9]+"]

[consumers.users]
root = "/"
shadow = "/etc/shadow"
passwd = "/etc/passwd"

[MetricsConfig]
graphiteHost = "127.0.0.1:3002"
namespace = "security."
graphiteMode = "1"
collectionInterval = "30s"
hostRolePath = "/etc/role"
hostRoleToken = ":"
hostRoleKey = "role"
"#;

#[test]
fn everything() {
    let (converted, config) = converted(WHOLE);
    assert_eq!(converted.unknown, [""; 0]);
    assert_eq!(config.format, Format::Bpfink);
    assert_eq!(config.root, Path::new("/"));
    assert_eq!(
        config.access,
        Some(Access { paths: vec!["/etc/security/access.conf".to_owned()], ..Access::default() })
    );
    assert_eq!(config.users, Some(Users::default()));
    assert_eq!(config.generic_diff[0].paths, ["/sudoers", "/etc/sudoers.d"]);
    assert_eq!(config.generic[0].paths, ["/etc", r"/opt/*/conf/*/x\{1}[\!a][^b]"]);
    assert_eq!(config.generic[0].exclude_regex, [r"\.swp$", "dir-[0-9]+"]);
    assert_eq!(config.generic_diff[0].exclude_regex, config.generic[0].exclude_regex);
    for said in [
        "# debug = true: ",
        "# level = \"info\": ",
        "# database = \"bpfink.db\": ",
        "# keyfile = \"bpfink.key\": ",
        "# bcc = \"pkg/ebpf/vfs.o\": ",
        "# consumers.users.root = \"/\": ",
        "# MetricsConfig.graphiteHost = \"127.0.0.1:3002\": ",
        "# MetricsConfig.graphiteMode = \"1\": ",
        "# MetricsConfig.namespace = \"security.\": ",
        "# MetricsConfig.collectionInterval = \"30s\": ",
        "# MetricsConfig.hostRolePath = \"/etc/role\": ",
        "# MetricsConfig.hostRoleToken = \":\": ",
        "# MetricsConfig.hostRoleKey = \"role\": ",
        "# consumers.excludes: cannot use the pattern \"(\"",
        "# consumers.excludes do not hold for [users] and [access]",
        "# pam_access reads \"/etc/security/access.d/*.conf\" as well.",
    ] {
        assert!(converted.text.contains(said), "{said}\n{}", converted.text);
    }
}

#[test]
fn metrics_go_where_they_went() {
    let (_, config) = converted(&WHOLE.replace("graphiteMode = \"1\"", "graphiteMode = 3"));
    assert_eq!(config.metrics.graphite, Some(Graphite::Tcp("127.0.0.1:3002".to_owned())));
    assert_eq!(config.metrics.namespace, "security.");
    let role = Role::In { file: "/etc/role".into(), key: "role".to_owned(), separator: ":".to_owned() };
    assert_eq!(config.metrics.role, role);
    let (_, config) = converted(&format!("graphite-mode = 2\n{WHOLE}"));
    assert_eq!(config.metrics.graphite, Some(Graphite::Stderr));
    assert_eq!(converted(WHOLE).1.metrics, crate::config::Metrics::default());
}

#[test]
fn what_is_there_is_what_is_watched() {
    for (text, sections, said) in [
        ("", [0, 0, 0, 0], "names nothing to watch"),
        ("[consumers]\nGENERIC = ['/x']\n", [0, 0, 0, 1], "format"),
        ("[consumers]\ngeneric = '/x'\nroot = '/r'\n", [0, 0, 0, 1], "another root than /"),
        ("[consumers]\ngeneric = ['x', '']\n", [0, 0, 0, 1], "paths = [\"/x\"]"),
        (
            "[consumers]\ngeneric = ['/[a']\ngenericdiff = []\n",
            [0, 0, 0, 0],
            "# cannot use the pattern \"/[a\"",
        ),
        ("[consumers]\naccess = '/a'\n", [1, 0, 0, 0], "[access]\npaths = [\"/a\"]"),
        ("[consumers.users]\npasswd = '/etc/passwd'\n", [0, 0, 0, 0], "both passwd and shadow"),
        ("[consumers.users]\npasswd = '/p'\nshadow = 's'\n", [0, 1, 0, 0], "shadow = \"/s\""),
        ("[consumers]\ngenericDiff = ['/x']\nexcludes = ['a']\n", [0, 0, 1, 0], "exclude_regex = [\"a\"]"),
        ("database = \"a\\nformat = 'json'\"\n", [0, 0, 0, 0], "# database = "),
    ] {
        let (converted, config) = converted(text);
        let found = [
            usize::from(config.access.is_some()),
            usize::from(config.users.is_some()),
            config.generic_diff.len(),
            config.generic.len(),
        ];
        assert_eq!(found, sections, "{text}\n{}", converted.text);
        assert!(converted.text.contains(said), "{said}\n{}", converted.text);
        assert_eq!(config.format, Format::Bpfink);
    }
}

#[test]
fn keys_that_nobody_knows_are_named() {
    let (converted, _) =
        converted("MetricsHost = 'a'\n[consumers]\ngeneric = ['/x']\n[consumers.acess]\nx = 1\n");
    assert_eq!(converted.unknown, ["consumers.acess.x", "MetricsHost"]);
    assert!(converted.text.contains("# MetricsHost = \"a\": no key of bpfink."), "{}", converted.text);
}

#[test]
fn what_is_no_toml_is_told_with_its_line() {
    assert_eq!(convert("a = 1\nb = \n").unwrap_err().0, Some(2));
}

#[test]
fn the_example_in_the_documentation() {
    let text = include_str!("../../../../../docs/from-bpfink.md");
    let block = |start: &str| text.split(start).nth(1).unwrap().split("```").next().unwrap();
    let (converted, config) = converted(block("```toml bpfink\n"));
    assert_eq!(converted.unknown, [""; 0]);
    assert_eq!(config, crate::config::load::parse(block("```toml\n")).unwrap(), "{}", converted.text);
}
