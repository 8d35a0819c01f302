//! Mutates valid inputs.

/// Generates mutated inputs: the same ones for the same seed.
pub struct Mutator {
    seeds: Vec<Vec<u8>>,
    state: u64,
    unchanged: usize,
}

impl Mutator {
    pub fn new(seeds: Vec<Vec<u8>>, seed: u64) -> Self {
        Self { seeds, state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, unchanged: 0 }
    }

    fn random(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state >> 11
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.random() % bound.max(1) as u64) as usize
    }

    /// Returns the inputs unchanged at first, mutated ones later.
    pub fn next(&mut self) -> Vec<u8> {
        if self.unchanged < self.seeds.len() {
            self.unchanged += 1;
            return self.seeds[self.unchanged - 1].clone();
        }
        let pick = self.below(self.seeds.len());
        let mut bytes = self.seeds[pick].clone();
        for _ in 0..=self.below(4) {
            self.change(&mut bytes);
        }
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        // The beginning of an input has most of its structure.
        let near = if self.below(2) == 0 { bytes.len() } else { bytes.len().min(64) };
        let at = self.below(near);
        match self.below(10) {
            0 | 1 => {
                let bit = 1 << self.below(8);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= bit;
                }
            }
            2 => {
                let value = [0, 1, 4, 8, 0x7f, 0x80, 0xfe, 0xff][self.below(8)];
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = value;
                }
            }
            3 => {
                let value = [0, 1, 3, 4, 8, 12, 0x7fff_ffff, 0xffff_ffff, bytes.len() as u32][self.below(9)];
                if let Some(field) = bytes.get_mut(at..at + 4) {
                    field.copy_from_slice(&value.to_le_bytes());
                }
            }
            4 => {
                let varint =
                    [&[0xff, 0xff, 0xff, 0xff, 0x0f][..], &[0x80, 0x80, 0x80, 0x01], &[0xff; 10]][self.below(3)];
                bytes.splice(at..at, varint.iter().copied());
            }
            5 => bytes.truncate(at),
            6 => {
                let end = (at + self.below(32)).min(bytes.len());
                bytes.drain(at.min(end)..end);
            }
            7 => {
                let end = (at + self.below(256)).min(bytes.len());
                let copy = bytes[at.min(end)..end].to_vec();
                bytes.splice(at..at, copy);
            }
            8 => {
                let pick = self.below(self.seeds.len());
                let from = self.below(self.seeds[pick].len() + 1);
                bytes.truncate(at);
                bytes.extend(&self.seeds[pick][from..]);
            }
            _ => {
                let count = self.below(64);
                let random: Vec<u8> = (0..count).map(|_| self.random() as u8).collect();
                bytes.splice(at..at, random);
            }
        }
    }
}
