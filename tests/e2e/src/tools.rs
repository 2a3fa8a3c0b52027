//! Real tools, and the lines a person would expect of each.

use crate::expect::{Line, line};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A tool run on a directory of its own.
pub struct Tool {
    pub name: &'static str,
    pub dir: PathBuf,
    script: String,
    pub lines: Vec<Line>,
}

impl Tool {
    /// Runs it; the reason if it is not there.
    pub fn run(&self) -> io::Result<Option<String>> {
        let program = self.name.split('_').next().unwrap_or_default();
        let found = Command::new("sh")
            .args(["-c", &format!("command -v {program}")])
            .stdout(Stdio::null())
            .status()?
            .success();
        if !found {
            return Ok(Some(format!("{program} is not installed")));
        }
        let output = Command::new("sh").args(["-ec", &self.script]).current_dir(&self.dir).output()?;
        if output.status.success() {
            return Ok(None);
        }
        Err(io::Error::other(format!("{}: {}", self.name, String::from_utf8_lossy(&output.stderr))))
    }
}

/// Makes the directories of all tools.
pub fn prepare(top: &Path) -> io::Result<Vec<Tool>> {
    let mut tools = vec![
        tool(top, "sed", "sed -i s/old/new/ f", [line("updated", "f")])?,
        tool(top, "sh", "echo more >> f", [line("updated", "f")])?,
        tool(top, "cp", "cp other f", [line("updated", "f")])?,
        tool(top, "cp_new", "cp -p f copy", [line("created", "copy"), mode("copy")])?,
        tool(top, "mv", "mv other f", [line("updated", "f").from("other")])?,
        tool(top, "install", "install -m 755 other f", [line("updated", "f"), mode("f")])?,
        tool(top, "dd", "dd if=other of=f conv=notrunc 2>/dev/null", [line("updated", "f")])?,
        tool(
            top,
            "tar",
            "tar xf ../pack.tar",
            // The directory gets its mode when all is in it.
            [line("created", "tree"), line("created", "tree/one"), line("created", "tree/two"), mode("tree")],
        )?,
        tool(
            top,
            "vim",
            "vim -es -u NONE -c 'set backup nowritebackup nobackup' -c 's/old/new/' -c wq f",
            [line("updated", "f"), line("updated", "f").what("touched").maybe()],
        )?,
    ];
    fs::create_dir_all(top.join("tree"))?;
    fs::write(top.join("tree/one"), "1")?;
    fs::write(top.join("tree/two"), "2")?;
    quiet(Command::new("tar").args(["cf", "pack.tar", "tree"]).current_dir(top));
    tools.push(git(top)?);
    tools.push(useradd(top)?);
    tools.push(dpkg(top)?);
    Ok(tools)
}

/// What a tool does to the mode after the content may be a line of its own on a slow machine.
fn mode(path: &str) -> Line {
    line("attributes_modified", path).maybe()
}

fn tool(
    top: &Path,
    name: &'static str,
    script: &str,
    lines: impl IntoIterator<Item = Line>,
) -> io::Result<Tool> {
    let dir = top.join(name);
    fs::create_dir_all(&dir)?;
    fs::write(dir.join("f"), "old\n")?;
    fs::write(dir.join("other"), "other\n")?;
    Ok(Tool { name, dir, script: script.to_owned(), lines: lines.into_iter().collect() })
}

/// A checkout that changes one file, adds one and removes one; what git does in `.git` is kept outside.
fn git(top: &Path) -> io::Result<Tool> {
    let outside = top.parent().and_then(Path::parent).unwrap_or(top).join("git-dir");
    drop(fs::remove_dir_all(&outside));
    let lines = [line("updated", "f"), line("created", "added"), line("deleted", "other")];
    let mut made = tool(top, "git", "", lines)?;
    let git = format!("git --git-dir={} --work-tree=.", outside.display());
    let setup = format!(
        "g() {{ {git} -c user.name=t -c user.email=t@t -c commit.gpgsign=false \"$@\"; }}; {git} init -q; \
         g add -A; g commit -qm one; \
         echo new > f; echo a > added; rm other; g add -A; g commit -qm two; g checkout -q HEAD~1"
    );
    quiet(Command::new("sh").args(["-ec", &setup]).current_dir(&made.dir));
    made.script = format!("{git} checkout -q $({git} rev-list --all --max-count=1)");
    Ok(made)
}

/// useradd on a root of its own.
fn useradd(top: &Path) -> io::Result<Tool> {
    let mut made = tool(top, "useradd", "", [])?;
    let etc = made.dir.join("etc");
    fs::create_dir_all(&etc)?;
    fs::write(etc.join("passwd"), "root:x:0:0:root:/root:/bin/sh\n")?;
    fs::write(etc.join("shadow"), "root:*:19000:0:99999:7:::\n")?;
    fs::write(etc.join("group"), "root:x:0:\n")?;
    fs::write(etc.join("gshadow"), "root:*::\n")?;
    made.script = format!("useradd --prefix {} --no-create-home -u 1234 -U bob", made.dir.display());
    made.lines =
        vec![line("updated", "etc/passwd"), line("updated", "etc/shadow"), line("updated", "etc/group")];
    made.lines.push(line("updated", "etc/gshadow").maybe());
    for file in ["passwd", "shadow", "group", "gshadow"] {
        // The backups stay.
        made.lines.push(line("created", format!("etc/{file}-")).maybe());
    }
    for file in ["subuid", "subgid"] {
        for suffix in ["", "-"] {
            made.lines.push(line("created", format!("etc/{file}{suffix}")).maybe());
        }
    }
    Ok(made)
}

/// A package with a configuration file, installed anew over an older version.
fn dpkg(top: &Path) -> io::Result<Tool> {
    let outside = top.parent().and_then(Path::parent).unwrap_or(top).join("dpkg-dir");
    drop(fs::remove_dir_all(&outside));
    let lines = [line("updated", "etc/small.conf"), line("updated", "usr/data")];
    let mut made = tool(top, "dpkg", "", lines)?;
    let admin = outside.join("admin");
    for dir in ["pkg/DEBIAN", "pkg/etc", "pkg/usr", "admin/info", "admin/updates"] {
        fs::create_dir_all(outside.join(dir))?;
    }
    fs::write(admin.join("status"), "")?;
    let install = |version: u32| {
        format!(
            "cd {out}; printf 'Package: small\\nVersion: {version}\\nArchitecture: all\\nMaintainer: x <x@x>\\n\
             Description: x\\n' > pkg/DEBIAN/control; echo /etc/small.conf > pkg/DEBIAN/conffiles; \
             echo {version} > pkg/etc/small.conf; echo {version} > pkg/usr/data; \
             dpkg-deb -Znone --root-owner-group -b pkg small.deb >/dev/null; \
             dpkg --force-all --force-script-chrootless --admindir={admin} --instdir={inst} --log=/dev/null \
             -i small.deb >/dev/null 2>&1",
            out = outside.display(),
            admin = admin.display(),
            inst = made.dir.display(),
        )
    };
    quiet(Command::new("sh").args(["-ec", &install(1)]));
    made.script = install(2);
    Ok(made)
}

/// What a tool that is not there cannot prepare is said when it is to run.
fn quiet(command: &mut Command) {
    drop(command.stdout(Stdio::null()).stderr(Stdio::null()).status());
}
