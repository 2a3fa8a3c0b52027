//! A sink that keeps what it is told, for tests of consumers with the engine.

use fim_core::{Finding, Record, Report, Sink};
use std::io;
use std::sync::{Arc, Mutex};

#[derive(Clone, Default)]
pub struct Findings(pub Arc<Mutex<Vec<Finding>>>);

impl Sink for Findings {
    fn write(&mut self, report: &Report) -> io::Result<()> {
        if let Record::Change(finding) = &report.record {
            self.0.lock().unwrap().push((**finding).clone());
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
