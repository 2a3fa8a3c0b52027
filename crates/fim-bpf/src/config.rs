//! How much room the watcher asks of the kernel.

use std::path::PathBuf;

/// Settings of the BPF watcher.
///
/// ```
/// use fim_bpf::BpfConfig;
///
/// let mut config = BpfConfig::default();
/// config.expected_files = 1_000_000;
/// config.ring_bytes = 32 << 20;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BpfConfig {
    /// How many files and directories will be marked, about; a quarter more find room. Each costs some
    /// 90 bytes of kernel memory, all of it taken at the start.
    pub expected_files: u32,
    /// Bytes of the ring between kernel and watcher; rounded up to a power of two.
    pub ring_bytes: u32,
    /// Where the hooks are proved, in a directory of our own that is removed again. Best on the file
    /// system that is watched. The temporary directory when absent.
    pub scratch: Option<PathBuf>,
    /// What to do about pins; `None` leaves alone what there is.
    pub pins: Option<PinConfig>,
    /// Have the kernel measure what each program costs, which costs more than most of them.
    pub measure: bool,
}

/// Where maps and links are pinned.
///
/// ```
/// use fim_bpf::{BpfConfig, PinConfig};
///
/// let mut config = BpfConfig::default();
/// config.pins = Some(PinConfig { dir: "/sys/fs/bpf/my-agent".into(), keep: true });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinConfig {
    /// A folder on the BPF file system that no other instance uses. What an earlier start pinned there is gone on with.
    pub dir: PathBuf,
    /// Pin there, so that the kernel goes on marking when the watch has ended. If not, nothing is left there.
    pub keep: bool,
}

impl Default for BpfConfig {
    fn default() -> Self {
        Self { expected_files: 131_072, ring_bytes: 8 << 20, scratch: None, pins: None, measure: false }
    }
}
