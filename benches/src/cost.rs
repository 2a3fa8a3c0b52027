//! What a command costs: time on the clock, time on processors, memory.

use crate::Failure;
use nix::time::ClockId;
use nix::unistd::Pid;
use std::process::Command;
use std::time::{Duration, Instant};
use wait4::Wait4;

/// What something took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// By the clock on the wall, in seconds.
    pub wall: f64,
    /// On processors, for the program and for the kernel on its behalf, in seconds.
    pub cpu: f64,
    /// Most memory a single process held, in bytes; 0 where it was not measured.
    pub peak: u64,
}

impl std::ops::Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { wall: self.wall + other.wall, cpu: self.cpu + other.cpu, peak: self.peak.max(other.peak) }
    }
}

/// Runs a command to its end; it and all it waited for are counted.
///
/// # Errors
/// When it cannot be started, or ends with a status that is not among these.
pub fn run(command: &mut Command, good: &[i32]) -> Result<Cost, Failure> {
    let begun = Instant::now();
    let mut child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
    let used = child.wait4()?;
    let wall = begun.elapsed().as_secs_f64();
    if !used.status.code().is_some_and(|code| good.contains(&code)) {
        return Err(format!("{command:?}: {}", used.status).into());
    }
    let cpu = (used.rusage.utime + used.rusage.stime).as_secs_f64();
    Ok(Cost { wall, cpu, peak: used.rusage.maxrss })
}

/// Time a running process has spent on processors so far, threads that ended included.
///
/// # Errors
/// When it has ended.
pub fn cpu_of(pid: u32) -> Result<Duration, Failure> {
    let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(i32::try_from(pid)?))?;
    Ok(clock.now()?.into())
}

/// A number of kilobytes in `/proc/PID/status`, in bytes.
///
/// # Errors
/// When the process has ended.
pub fn memory_of(pid: u32, field: &str) -> Result<u64, Failure> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kilobytes = status.lines().find_map(|line| line.strip_prefix(field)?.split_whitespace().next());
    Ok(kilobytes.ok_or("no such field")?.parse::<u64>()? * 1024)
}

/// Memory the kernel holds for a process, in bytes: BPF maps, and marks of fanotify and inotify.
///
/// # Errors
/// When the process has ended.
pub fn kernel_memory_of(pid: u32) -> Result<u64, Failure> {
    // sizeof(struct fsnotify_mark) with its connector; inodes that it pins are not counted.
    const MARK: u64 = 128;
    let mut total = 0;
    for entry in std::fs::read_dir(format!("/proc/{pid}/fdinfo"))? {
        let Ok(info) = std::fs::read_to_string(entry?.path()) else { continue };
        for line in info.lines() {
            if let Some(locked) = line.strip_prefix("memlock:") {
                total += locked.trim().parse::<u64>().unwrap_or(0);
            } else if line.starts_with("fanotify ino:") || line.starts_with("inotify wd:") {
                total += MARK;
            }
        }
    }
    Ok(total)
}

/// How often the threads of a process have been taken off a processor: each is a wake-up sooner or later.
///
/// # Errors
/// When it has ended.
pub fn switches_of(pid: u32) -> Result<u64, Failure> {
    let mut total = 0;
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let status = std::fs::read_to_string(task?.path().join("status"))?;
        let counts = status.lines().filter_map(|line| line.split_once("ctxt_switches:"));
        total += counts.filter_map(|(_, count)| count.trim().parse::<u64>().ok()).sum::<u64>();
    }
    Ok(total)
}
