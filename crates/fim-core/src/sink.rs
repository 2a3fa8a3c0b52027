//! The trait by which reports leave the engine.
//!
//! Knows no format.

use crate::finding::Report;
use std::io;

/// Where reports go.
///
/// ```
/// use fim_core::{Record, Report, Sink};
/// use std::io;
///
/// /// Counts changes.
/// #[derive(Default)]
/// struct Count(u64);
///
/// impl Sink for Count {
///     fn write(&mut self, report: &Report) -> io::Result<()> {
///         self.0 += u64::from(matches!(report.record, Record::Change(_)));
///         Ok(())
///     }
///
///     fn flush(&mut self) -> io::Result<()> {
///         Ok(())
///     }
/// }
/// ```
///
/// A closure that takes a report is one too, for sinks that have nothing to wait for:
///
/// ```
/// use fim_core::{Record, Report, Sink};
///
/// let sink: Box<dyn Sink> = Box::new(|report: &Report| {
///     if let Record::Change(finding) = &report.record {
///         println!("{} {}", finding.action.as_str(), finding.path.display());
///     }
///     Ok(())
/// });
/// # drop(sink);
/// ```
///
/// One that keeps what it is given is `examples/sink.rs`.
///
/// It is called by one thread at a time, but not always by the same: while more has changed than is looked at, reports are
/// gathered and written beside the next looks. When a report cannot be written then, those after it are not either, and the
/// engine has to be built again, on the state as it was committed: all of them are found again.
pub trait Sink: Send {
    /// Before the first report of a watch: what [`Sink::kept`] gave when the state was last committed;
    /// `None` in a new state.
    ///
    /// # Errors
    /// When the sink cannot go on from there.
    fn resume(&mut self, _kept: Option<&[u8]>) -> io::Result<()> {
        Ok(())
    }

    /// What the sink wants back after a restart, as of the last report written: it is committed with the
    /// state that the reports speak of.
    fn kept(&self) -> Option<Vec<u8>> {
        None
    }

    /// Writes one report.
    ///
    /// # Errors
    /// When it cannot be written: the engine then keeps the finding unreported and ends.
    fn write(&mut self, report: &Report) -> io::Result<()>;

    /// Everything written has left the process when this returns.
    ///
    /// # Errors
    /// As for [`Sink::write`].
    fn flush(&mut self) -> io::Result<()>;
}

impl<F: FnMut(&Report) -> io::Result<()> + Send> Sink for F {
    fn write(&mut self, report: &Report) -> io::Result<()> {
        self(report)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
