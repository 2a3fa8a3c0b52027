//! Pairs in the order A B B A, so that what drifts cancels out; rounds whose two halves of the same thing
//! differ are void.

use crate::Failure;
use crate::cost::Cost;

/// The two measurements of one thing in a round may differ by so much.
const STEADY: f64 = 1.10;
/// The clock on the wall counts what else the machine does, too.
const STEADY_WALL: f64 = 1.20;

/// Ratios of rounds.
#[derive(Clone, Debug, Default)]
pub struct Ratios {
    /// Of the rounds that count.
    pub good: Vec<f64>,
    /// Of rounds in which a thing differed from itself.
    pub void: Vec<f64>,
}

impl Ratios {
    fn add(&mut self, a: [f64; 2], b: [f64; 2], steady: f64) {
        let ratio = (b[0] + b[1]) / (a[0] + a[1]);
        let unlike = |pair: [f64; 2]| pair[0].max(pair[1]) > steady * pair[0].min(pair[1]);
        if unlike(a) || unlike(b) { self.void.push(ratio) } else { self.good.push(ratio) }
    }
}

/// B over A.
#[derive(Clone, Debug, Default)]
pub struct Pairs {
    /// Time on processors.
    pub cpu: Ratios,
    /// Time on the wall.
    pub wall: Ratios,
    /// What A took, each time.
    pub a: Vec<Cost>,
    /// What B took, each time.
    pub b: Vec<Cost>,
}

/// Measures until there are so many good rounds by processor time, or twice as many rounds altogether.
///
/// # Errors
/// Those of the measurements.
pub fn compare(
    rounds: usize,
    a: &mut dyn FnMut() -> Result<Cost, Failure>,
    b: &mut dyn FnMut() -> Result<Cost, Failure>,
) -> Result<Pairs, Failure> {
    let mut pairs = Pairs::default();
    for _ in 0..rounds * 2 {
        let (a1, b1, b2, a2) = (a()?, b()?, b()?, a()?);
        pairs.cpu.add([a1.cpu, a2.cpu], [b1.cpu, b2.cpu], STEADY);
        pairs.wall.add([a1.wall, a2.wall], [b1.wall, b2.wall], STEADY_WALL);
        pairs.a.extend([a1, a2]);
        pairs.b.extend([b1, b2]);
        if pairs.cpu.good.len() >= rounds {
            break;
        }
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measure(costs: &[f64]) -> impl FnMut() -> Result<Cost, Failure> {
        let mut costs = costs.iter().copied();
        move || Ok(Cost { wall: 1.0, cpu: costs.next().ok_or("no more")?, peak: 0 })
    }

    #[test]
    fn rounds_that_differ_from_themselves_are_void() {
        let mut a = measure(&[1.0, 1.5, 1.0, 1.0]);
        let mut b = measure(&[2.0, 2.0, 3.0, 3.0]);
        let pairs = compare(1, &mut a, &mut b).unwrap();
        assert_eq!(pairs.cpu.good, [3.0]);
        assert_eq!(pairs.cpu.void, [1.6]);
        assert_eq!(pairs.wall.good, [1.0, 1.0]);
    }
}
