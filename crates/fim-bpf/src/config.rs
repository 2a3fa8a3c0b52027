//! How much room the watcher asks of the kernel.

use std::path::PathBuf;

/// Settings of the BPF watcher.
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
}

impl Default for BpfConfig {
    fn default() -> Self {
        Self { expected_files: 131_072, ring_bytes: 8 << 20, scratch: None }
    }
}
