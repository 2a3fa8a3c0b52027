//! A disk that fails as it is told to: a FUSE file system that shows a directory, served by a thread of the test.
//!
//! Every way by which the engine reads a file goes through the kernel here, and comes back with the error that a
//! test asked for. Nothing is cached, so that each call arrives. The layout of messages is that of `linux/fuse.h`.

use rustix::fs::{Dir, OFlags};
use rustix::io::Errno;
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use std::collections::HashMap;
use std::ffi::{CString, OsStr};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// What can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// Finding a name: any open(2), of the name alone too.
    Lookup,
    /// stat(2) of what is open.
    Stat,
    /// open(2) for reading.
    Open,
    /// read(2).
    Read,
    /// Listing a directory.
    List,
    /// The target of a link.
    Target,
    /// The names of attributes.
    Attributes,
    /// The value of an attribute.
    Attribute,
}

/// How many calls go well, and what those after them come to.
type Faults = Arc<Mutex<HashMap<(Call, PathBuf), (u32, Errno)>>>;

/// The disk. What is changed in [`Self::below`] is what its reader sees.
pub struct Disk {
    at: PathBuf,
    below: PathBuf,
    faults: Faults,
}

impl Disk {
    /// Puts a disk over a directory; `None` where none can be mounted.
    pub fn over(at: &Path) -> Option<Self> {
        let Ok(device) = File::options().read(true).write(true).open("/dev/fuse") else {
            println!("skipped: no /dev/fuse");
            return None;
        };
        let below = at.with_extension("below");
        fs::rename(at, &below).unwrap();
        fs::create_dir(at).unwrap();
        let options = format!("fd={},rootmode=40755,user_id=0,group_id=0", device.as_raw_fd());
        let options = CString::new(options).unwrap();
        if mount("fim-test", at, "fuse", MountFlags::NOSUID | MountFlags::NODEV, options.as_c_str()).is_err()
        {
            println!("skipped: no disk can be mounted here");
            return None;
        }
        let faults = Faults::default();
        let mut server = Server {
            device,
            top: below.clone(),
            nodes: HashMap::from([(1, PathBuf::new())]),
            faults: Arc::clone(&faults),
        };
        std::thread::spawn(move || while server.serve().is_some() {});
        Some(Self { at: at.to_owned(), below, faults })
    }

    /// Where the files are, past the disk.
    pub fn below(&self, name: &str) -> PathBuf {
        self.below.join(name)
    }

    /// From now on this call fails for this file.
    pub fn fail(&self, call: Call, name: &str, errno: Errno) {
        self.fail_after(0, call, name, errno);
    }

    /// This call goes so often for this file, and then fails.
    pub fn fail_after(&self, times: u32, call: Call, name: &str, errno: Errno) {
        self.faults.lock().unwrap().insert((call, name.into()), (times, errno));
    }

    /// From now on nothing fails.
    pub fn mend(&self) {
        self.faults.lock().unwrap().clear();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // With it, the thread ends.
        let _unmounted = unmount(&self.at, UnmountFlags::DETACH);
    }
}

struct Server {
    device: File,
    top: PathBuf,
    /// By the number the kernel knows a file by: that of its inode.
    nodes: HashMap<u64, PathBuf>,
    faults: Faults,
}

/// A message to the server.
struct Request<'a> {
    operation: u32,
    node: u64,
    body: &'a [u8],
}

impl Request<'_> {
    fn number(&self, at: usize) -> u64 {
        u64::from_ne_bytes(self.body[at..at + 8].try_into().unwrap())
    }

    fn short(&self, at: usize) -> u32 {
        u32::from_ne_bytes(self.body[at..at + 4].try_into().unwrap())
    }

    /// The name from here to its NUL.
    fn name(&self, at: usize) -> &OsStr {
        OsStr::from_bytes(self.body[at..].split(|byte| *byte == 0).next().unwrap())
    }
}

impl Server {
    /// Answers one message; `None` at the end.
    fn serve(&mut self) -> Option<()> {
        const FORGET: [u32; 3] = [2, 42, 36];
        let mut message = vec![0; 1 << 18];
        let length = loop {
            match self.device.read(&mut message) {
                Ok(length) => break length,
                // What was asked was given up before it was read.
                Err(error) if matches!(Errno::from_io_error(&error), Some(Errno::NOENT | Errno::INTR)) => {}
                Err(_) => return None,
            }
        };
        let word = |at: usize| u32::from_ne_bytes(message[at..at + 4].try_into().unwrap());
        let wide = |at: usize| u64::from_ne_bytes(message[at..at + 8].try_into().unwrap());
        let request = Request { operation: word(4), node: wide(16), body: &message[40..length] };
        if FORGET.contains(&request.operation) {
            return Some(());
        }
        let (error, body) = match self.answer(&request) {
            Ok(body) => (0, body),
            Err(errno) => (-errno.raw_os_error(), Vec::new()),
        };
        let mut answer = u32::try_from(16 + body.len()).unwrap().to_ne_bytes().to_vec();
        answer.extend(error.to_ne_bytes());
        answer.extend(wide(8).to_ne_bytes());
        answer.extend(body);
        // Whoever asked may have gone.
        let _gone = self.device.write(&answer);
        Some(())
    }

    fn answer(&mut self, request: &Request<'_>) -> Result<Vec<u8>, Errno> {
        const DIRECT_IO: u32 = 1;
        // The first messages are about no file.
        let name = self.nodes.get(&request.node).cloned().unwrap_or_default();
        let path = self.top.join(&name);
        match request.operation {
            1 => {
                let name = name.join(request.name(0));
                self.may(Call::Lookup, &name)?;
                let path = self.top.join(&name);
                let found = stat(&path)?;
                self.nodes.insert(found.ino(), name);
                let mut entry = numbers(&[found.ino(), 0, 0, 0, 0]);
                entry.extend(attributes(&found));
                Ok(entry)
            }
            3 => {
                self.may(Call::Stat, &name)?;
                let mut out = numbers(&[0, 0]);
                out.extend(attributes(&stat(&path)?));
                Ok(out)
            }
            5 => {
                self.may(Call::Target, &name)?;
                Ok(fs::read_link(path).map_err(errno)?.into_os_string().as_bytes().to_vec())
            }
            14 => {
                self.may(Call::Open, &name)?;
                Ok(shorts(&[0, 0, DIRECT_IO, 0]))
            }
            15 => {
                self.may(Call::Read, &name)?;
                let from = request.number(8);
                let mut bytes = vec![0; request.short(16) as usize];
                let length =
                    File::open(path).and_then(|file| file.read_at(&mut bytes, from)).map_err(errno)?;
                bytes.truncate(length);
                Ok(bytes)
            }
            17 => Ok(vec![0; 80]),
            18 | 25 | 29 => Ok(Vec::new()),
            22 => {
                self.may(Call::Attribute, &name)?;
                let mut value = vec![0; 1 << 16];
                let length = rustix::fs::lgetxattr(&path, request.name(8), &mut value)?;
                Ok(sized(&value[..length], request.short(0)))
            }
            23 => {
                self.may(Call::Attributes, &name)?;
                let mut names = vec![0; 1 << 16];
                let length = rustix::fs::llistxattr(&path, &mut names)?;
                Ok(sized(&names[..length], request.short(0)))
            }
            // The protocol's version; no more than 128 KiB written at once; clocks to the nanosecond.
            26 => Ok(shorts(&[7, 31, 0, 0, 0, 1 << 17, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0])),
            27 => Ok(numbers(&[0, 0])),
            28 => {
                self.may(Call::List, &name)?;
                list(&path, request.number(8), request.short(16) as usize)
            }
            39 => Err(Errno::NOTTY),
            _ => Err(Errno::NOSYS),
        }
    }

    fn may(&self, call: Call, name: &Path) -> Result<(), Errno> {
        match self.faults.lock().unwrap().get_mut(&(call, name.to_owned())) {
            Some((0, errno)) => Err(*errno),
            Some((left, _)) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// Names from the one of this number on, as many as there is room for.
fn list(path: &Path, from: u64, room: usize) -> Result<Vec<u8>, Errno> {
    let dir = rustix::fs::open(path, OFlags::RDONLY | OFlags::DIRECTORY, rustix::fs::Mode::empty())?;
    let mut out = Vec::new();
    for (number, entry) in (1_u64..).zip(Dir::new(dir)?).skip(usize::try_from(from).unwrap()) {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        let mut one = numbers(&[entry.ino(), number]);
        one.extend(shorts(&[u32::try_from(name.len()).unwrap(), 0]));
        one.extend(name);
        one.resize(one.len().next_multiple_of(8), 0);
        if out.len() + one.len() > room {
            break;
        }
        out.extend(one);
    }
    Ok(out)
}

/// A list or a value, or how long it is.
fn sized(bytes: &[u8], room: u32) -> Vec<u8> {
    if room > 0 { bytes.to_vec() } else { shorts(&[u32::try_from(bytes.len()).unwrap(), 0]) }
}

fn attributes(found: &fs::Metadata) -> Vec<u8> {
    let seconds = [found.atime(), found.mtime(), found.ctime()].map(i64::cast_unsigned);
    let mut out = numbers(&[found.ino(), found.size(), found.blocks()]);
    out.extend(numbers(&seconds));
    let nanos = [found.atime_nsec(), found.mtime_nsec(), found.ctime_nsec()];
    out.extend(shorts(&nanos.map(|nanos| u32::try_from(nanos).unwrap())));
    let links = u32::try_from(found.nlink()).unwrap();
    out.extend(shorts(&[found.mode(), links, found.uid(), found.gid(), 0, 4096, 0]));
    out
}

fn numbers(all: &[u64]) -> Vec<u8> {
    all.iter().flat_map(|number| number.to_ne_bytes()).collect()
}

fn shorts(all: &[u32]) -> Vec<u8> {
    all.iter().flat_map(|number| number.to_ne_bytes()).collect()
}

fn stat(path: &Path) -> Result<fs::Metadata, Errno> {
    fs::symlink_metadata(path).map_err(errno)
}

fn errno(error: std::io::Error) -> Errno {
    Errno::from_io_error(&error).unwrap_or(Errno::IO)
}
