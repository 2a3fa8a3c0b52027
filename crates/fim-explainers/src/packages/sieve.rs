//! What is surely not in a large set, by a few bits: to search the set of each of a thousand packages for each file that
//! changes costs more than to look at the file.
//!
//! Knows numbers that are hashes already, and nothing of what they are of.

/// Bits that there are for each number, and bits that are set for one: of those that are not in the set, one in six
/// hundred may be taken for one that is.
const BITS_EACH: usize = 16;
const BITS_SET: usize = 5;

/// A set that may have more in it than was put in.
#[derive(Debug, Default)]
pub struct Sieve(Vec<u64>);

impl Sieve {
    /// Of all numbers in these lists.
    pub fn of<'a>(lists: impl Iterator<Item = &'a [u64]> + Clone) -> Self {
        let count: usize = lists.clone().map(<[u64]>::len).sum();
        let mut sieve = Self(vec![0; (count * BITS_EACH / 64).max(1).next_power_of_two()]);
        for hash in lists.flatten() {
            for (word, bit) in sieve.places(*hash) {
                if let Some(word) = sieve.0.get_mut(word) {
                    *word |= bit;
                }
            }
        }
        sieve
    }

    /// Whether a number may be in the set; never `false` of one that is.
    pub fn has(&self, hash: u64) -> bool {
        self.places(hash).all(|(word, bit)| self.0.get(word).is_some_and(|word| word & bit != 0))
    }

    /// From the halves of the number, as Kirsch and Mitzenmacher do ("Less Hashing, Same Performance", 2006).
    fn places(&self, hash: u64) -> impl Iterator<Item = (usize, u64)> + use<> {
        // As many words as a power of two.
        let mask = self.0.len().wrapping_sub(1);
        let step = hash.rotate_left(32) | 1;
        (0..BITS_SET as u64).map(move |number| {
            let place = hash.wrapping_add(number.wrapping_mul(step));
            (usize::try_from((place >> 6) & mask as u64).unwrap_or(0), 1 << (place & 63))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::{BuildHasher, RandomState};

    #[test]
    fn none_is_missed_and_few_are_mistaken() {
        let hasher = RandomState::new();
        let hashes: Vec<u64> = (0..20_000u32).map(|number| hasher.hash_one(number)).collect();
        let (there, others) = hashes.split_at(10_000);
        let sieve = Sieve::of(there.chunks(777));
        assert!(there.iter().all(|hash| sieve.has(*hash)));
        let mistaken = others.iter().filter(|hash| sieve.has(**hash)).count();
        assert!(mistaken < 40, "{mistaken} of 10,000");
        assert!(!Sieve::default().has(7), "nothing is in an empty one");
        assert!(!Sieve::of(std::iter::empty()).has(7));
    }
}
