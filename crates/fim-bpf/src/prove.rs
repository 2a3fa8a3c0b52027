//! Which classes of change are seen on this machine.

use crate::config::BpfConfig;
use crate::object::Programs;
use fim_core::Coverage;

/// What was proved.
#[derive(Clone, Debug, Default)]
pub struct Proof {
    /// How well each class is seen.
    pub coverage: Coverage,
    /// Facts for people.
    pub notes: Vec<String>,
}

/// Says what is attached.
pub fn prove(programs: &mut Programs, _config: &BpfConfig) -> Proof {
    let names: Vec<&str> = programs.attached.iter().map(|attached| attached.hook.function).collect();
    let mut notes = vec![format!("hooks: {}", names.join(" "))];
    notes.append(&mut programs.refused);
    Proof {
        coverage: Coverage::new(),
        notes,
    }
}
