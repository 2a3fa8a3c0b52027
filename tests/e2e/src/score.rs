//! What came of each case, printed as the suites' runners count it.

/// Prints a line for each case and counts.
pub struct Score {
    pub failed: u32,
    prefix: String,
}

impl Score {
    pub fn new(prefix: String) -> Self {
        Self { failed: 0, prefix }
    }

    pub fn say(&mut self, name: &str, outcome: Result<(), String>) {
        match outcome {
            Ok(()) => println!("ok {}:{name}", self.prefix),
            Err(why) => {
                self.failed += 1;
                println!("FAIL {}:{name}: {why}", self.prefix);
            }
        }
    }

    pub fn skip(&self, name: &str, why: &str) {
        println!("skip {}:{name}: {why}", self.prefix);
    }
}
