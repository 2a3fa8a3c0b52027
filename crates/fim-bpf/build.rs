//! Compiles `src-bpf/fim.bpf.c` and generates its skeleton into `OUT_DIR`.

use libbpf_cargo::SkeletonBuilder;
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, exit};

const HOW: &str = "on Debian and Ubuntu: apt install clang libelf-dev zlib1g-dev pkg-config";

fn main() {
    let sources = Path::new("src-bpf");
    println!("cargo:rerun-if-env-changed=CLANG");
    println!("cargo:rerun-if-changed=build.rs");
    match std::fs::read_dir(sources) {
        Ok(files) => {
            for file in files.flatten() {
                println!("cargo:rerun-if-changed={}", file.path().display());
            }
        }
        Err(error) => stop(&format!("cannot read {}: {error}", sources.display())),
    }

    match std::fs::read(sources.join("record.h")) {
        Ok(record) => println!("cargo:rustc-env=FIM_RECORD_DIGEST={}", fnv1a(&record)),
        Err(error) => stop(&format!("cannot read {}: {error}", sources.join("record.h").display())),
    }

    let clang = PathBuf::from(env::var_os("CLANG").unwrap_or_else(|| "clang".into()));
    if let Err(error) = Command::new(&clang).arg("--version").output() {
        stop(&format!(
            "cannot run {}: {error}. It compiles the BPF programs; {HOW}, or set CLANG",
            clang.display()
        ));
    }
    let Some(out) = env::var_os("OUT_DIR") else { stop("cargo did not set OUT_DIR") };
    let built = SkeletonBuilder::new()
        .source(sources.join("fim.bpf.c"))
        .clang(clang)
        .clang_args(["-Wall", "-Werror", "-mcpu=v3"])
        .build_and_generate(Path::new(&out).join("fim.skel.rs"));
    if let Err(error) = built {
        stop(&format!("cannot build the BPF programs: {error:#}. If headers are missing, {HOW}"));
    }
}

/// FNV-1a: the same in every build, which is all that is asked of it.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

fn stop(why: &str) -> ! {
    eprintln!("fim-bpf: {why}");
    exit(1);
}
