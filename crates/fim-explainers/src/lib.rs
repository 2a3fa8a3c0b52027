//! What led to a change: explainers for `fim`.
//!
//! Each adds its word to a finding and hides none: a package whose records hold that very content
//! ([`Dpkg`], [`Rpm`]), a writer that is trusted by what it runs ([`Writers`]), a window that was announced ([`Windows`]).
//! None of them knows events, stores, configuration or formats of lines.
//!
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(feature = "dpkg")]
mod dpkg;
#[cfg(feature = "fuzz")]
pub mod fuzz;
#[cfg(any(feature = "dpkg", feature = "rpm"))]
mod packages;
#[cfg(feature = "writer")]
mod process;
#[cfg(feature = "writer")]
mod program;
#[cfg(feature = "rpm")]
mod rpm;
#[cfg(feature = "window")]
mod window;
#[cfg(feature = "writer")]
mod writer;

#[cfg(feature = "dpkg")]
pub use dpkg::Dpkg;
#[cfg(any(feature = "dpkg", feature = "rpm"))]
pub use packages::Owner;
#[cfg(feature = "writer")]
pub use program::Programs;
#[cfg(feature = "rpm")]
pub use rpm::Rpm;
#[cfg(feature = "window")]
pub use window::{Days, Window, WindowError, Windows};
#[cfg(feature = "writer")]
pub use writer::{Writer, Writers};

use fim_core::{Checksums, Explainer, Reason, Sight};

/// Several explainers as one: the first that knows a reason has it, and what any of them finds odd is said.
///
/// ```
/// use fim_core::Engine;
/// use fim_explainers::{Days, Explainers, Window, Windows, Writer, Writers};
///
/// let puppet = Writer { name: "puppet".into(), cgroups: vec!["/system.slice/puppet.service".into()], ..Writer::default() };
/// let night = Window::between("night", Days::all(), "02:00", "04:00", true)?;
/// let mut explainers = Explainers::default();
/// explainers.push(Writers::new(vec![puppet], None));
/// explainers.push(Windows::new(vec![night]));
/// let builder = Engine::builder().explainer(Box::new(explainers));
/// # drop(builder);
/// # Ok::<(), fim_explainers::WindowError>(())
/// ```
#[derive(Default)]
pub struct Explainers(Vec<Box<dyn Explainer>>);

impl std::fmt::Debug for Explainers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Explainers({})", self.0.len())
    }
}

impl Explainers {
    /// Adds one, to be asked after the others.
    pub fn push(&mut self, explainer: impl Explainer + 'static) {
        self.0.push(Box::new(explainer));
    }

    /// Whether there is nobody to ask.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Explainer for Explainers {
    fn explain(&mut self, change: &Sight<'_>, checksums: &mut dyn Checksums) -> Reason {
        let mut whole = Reason::default();
        for explainer in &mut self.0 {
            let one = explainer.explain(change, checksums);
            whole.explanation = whole.explanation.or(one.explanation);
            whole.odd = whole.odd.or(one.odd);
            if whole.explanation.is_some() {
                // Who explains it says whether there is more to come: what is open to others need not be waited for.
                whole.is_open = one.is_open;
                break;
            }
            whole.is_open |= one.is_open;
        }
        whole
    }
}
