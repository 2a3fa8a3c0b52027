//! Inode flags in the letters of lsattr(1).

/// In the order of lsattr.
const LETTERS: [(u32, char); 20] = [
    (0x0000_0001, 's'),
    (0x0000_0002, 'u'),
    (0x0000_0008, 'S'),
    (0x0001_0000, 'D'),
    (IMMUTABLE, 'i'),
    (APPEND_ONLY, 'a'),
    (0x0000_0040, 'd'),
    (0x0000_0080, 'A'),
    (0x0000_0004, 'c'),
    (0x0000_0800, 'E'),
    (0x0000_4000, 'j'),
    (0x0000_8000, 't'),
    (0x0002_0000, 'T'),
    (0x0080_0000, 'C'),
    (0x0200_0000, 'x'),
    (0x4000_0000, 'F'),
    (0x1000_0000, 'N'),
    (0x2000_0000, 'P'),
    (0x0010_0000, 'V'),
    (0x0000_0400, 'm'),
];

/// Nobody can change the file.
pub(super) const IMMUTABLE: u32 = 0x0000_0010;
/// The file can only grow.
pub(super) const APPEND_ONLY: u32 = 0x0000_0020;

/// The letters of all flags that are set; a flag without a letter is not shown.
pub(super) fn letters(flags: u32) -> String {
    LETTERS.iter().filter(|(flag, _)| flags & flag != 0).map(|(_, letter)| letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_flags() {
        assert_eq!(letters(0), "");
        assert_eq!(letters(IMMUTABLE | APPEND_ONLY | 0x80), "iaA");
        assert_eq!(letters(u32::MAX).len(), LETTERS.len());
    }
}
