//! Who installs packages: how one is made of a tree for it, and how it is installed below another root.

use super::{PACKAGES, succeed, tree};
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[derive(Clone, Copy)]
pub enum Manager {
    Dpkg,
    Rpm,
}

impl Manager {
    pub fn name(self) -> &'static str {
        match self {
            Self::Dpkg => "dpkg",
            Self::Rpm => "rpm",
        }
    }

    /// How it calls the second version.
    pub fn version(self) -> &'static str {
        match self {
            Self::Dpkg => "2",
            Self::Rpm => "2-1.noarch",
        }
    }

    pub fn is_there(self) -> bool {
        let tool = match self {
            Self::Dpkg => "dpkg-deb",
            Self::Rpm => "rpmbuild",
        };
        Command::new(tool).arg("--version").stdout(Stdio::null()).status().is_ok_and(|it| it.success())
    }

    /// Makes both versions of all packages, and an empty database.
    pub fn prepare(self, dir: &Path) -> io::Result<()> {
        match self {
            Self::Dpkg => {
                fs::create_dir_all(dir.join("root/var/lib/dpkg/info"))?;
                fs::create_dir_all(dir.join("root/var/lib/dpkg/updates"))?;
                fs::write(dir.join("root/var/lib/dpkg/status"), "")?;
                let each = |version| (0..PACKAGES).try_for_each(|number| build_deb(dir, number, version));
                [1, 2].into_iter().try_for_each(each)
            }
            Self::Rpm => {
                succeed(rpm(dir).arg("--initdb"))?;
                [1, 2].into_iter().try_for_each(|version| build_rpms(dir, version))
            }
        }
    }

    /// Installs all packages in a version.
    pub fn install(self, dir: &Path, version: u32) -> Command {
        match self {
            Self::Dpkg => {
                let mut command = Command::new("dpkg");
                command.args(["--force-all", "--force-script-chrootless", "--log=/dev/null", "--root"]);
                command.arg(dir.join("root")).arg("--install");
                command.args((0..PACKAGES).map(|number| deb(dir, number, version)));
                command
            }
            Self::Rpm => {
                let mut command = rpm(dir);
                command.args(["--upgrade", "--replacepkgs", "--nodeps"]);
                command.args(
                    (0..PACKAGES).map(|number| {
                        dir.join(format!("build/RPMS/noarch/p{number}-{version}-1.noarch.rpm"))
                    }),
                );
                command
            }
        }
    }
}

fn deb(dir: &Path, number: usize, version: u32) -> PathBuf {
    dir.join(format!("p{number}_{version}.deb"))
}

fn build_deb(dir: &Path, number: usize, version: u32) -> io::Result<()> {
    let tree = dir.join("tree");
    drop(fs::remove_dir_all(&tree));
    tree::lay(&tree, number, version)?;
    fs::create_dir(tree.join("DEBIAN"))?;
    fs::write(tree.join("DEBIAN/conffiles"), format!("/etc/p{number}.conf\n"))?;
    let control = format!(
        "Package: p{number}\nVersion: {version}\nArchitecture: all\nMaintainer: x <x@x>\nDescription: x\n"
    );
    fs::write(tree.join("DEBIAN/control"), control)?;
    let script = "find usr -type f -exec md5sum {} + > DEBIAN/md5sums && chmod 755 usr/bin/* && \
                  dpkg-deb -Znone --root-owner-group -b . \"$1\" > /dev/null";
    succeed(Command::new("sh").args(["-ec", script, "sh"]).arg(deb(dir, number, version)).current_dir(&tree))
}

/// All of one source, which is built once.
fn build_rpms(dir: &Path, version: u32) -> io::Result<()> {
    let tree = dir.join("tree");
    drop(fs::remove_dir_all(&tree));
    let mut spec = format!(
        "Name: all\nVersion: {version}\nRelease: 1\nSummary: x\nLicense: x\nBuildArch: noarch\n\
         %define __os_install_post %{{nil}}\n%define _build_id_links none\n%description\nx\n\
         %install\nmkdir -p %{{buildroot}}\ncp -a {}/. %{{buildroot}}\n",
        tree.display()
    );
    for number in 0..PACKAGES {
        tree::lay(&tree, number, version)?;
        let files = format!(
            "%attr(755,root,root) /usr/bin/p{number}\n/usr/lib/libp{number}.so*\n/usr/share/p{number}\n\
             %config /etc/p{number}.conf\n"
        );
        // Writing to a string cannot fail.
        let _ = write!(
            spec,
            "%package -n p{number}\nSummary: x\n%description -n p{number}\nx\n%files -n p{number}\n{files}"
        );
    }
    let file = dir.join("all.spec");
    fs::write(&file, spec)?;
    let mut build = Command::new("rpmbuild");
    build.args(["-bb", "--quiet", "--define"]).arg(format!("_topdir {}", dir.join("build").display()));
    succeed(build.arg(file).stdout(Stdio::null()).stderr(Stdio::null()))
}

fn rpm(dir: &Path) -> Command {
    let mut command = Command::new("rpm");
    command.arg("--root").arg(dir.join("root")).args(["--dbpath", "/var/lib/rpm"]);
    command
}
