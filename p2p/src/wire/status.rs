//! The Status message: where a client's chain stands.

/// A block named by its root and slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// hash_tree_root of the block.
    pub root: [u8; 32],
    /// Its slot.
    pub slot: u64,
}

/// What a client says of its chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// The latest finalized block.
    pub finalized: Checkpoint,
    /// The head.
    pub head: Checkpoint,
}

impl Status {
    /// Bytes of its SSZ.
    pub const SIZE: usize = 80;

    /// SSZ: finalized root, its slot, head root, its slot.
    pub fn to_ssz(self) -> Vec<u8> {
        let mut ssz = Vec::with_capacity(Self::SIZE);
        for checkpoint in [self.finalized, self.head] {
            ssz.extend(checkpoint.root);
            ssz.extend(checkpoint.slot.to_le_bytes());
        }
        ssz
    }

    /// None: it is no Status.
    pub fn from_ssz(ssz: &[u8]) -> Option<Self> {
        let (finalized, rest) = checkpoint(ssz)?;
        let (head, rest) = checkpoint(rest)?;
        rest.is_empty().then_some(Self { finalized, head })
    }
}

fn checkpoint(ssz: &[u8]) -> Option<(Checkpoint, &[u8])> {
    let (root, rest) = ssz.split_first_chunk::<32>()?;
    let (slot, rest) = rest.split_first_chunk::<8>()?;
    Some((Checkpoint { root: *root, slot: u64::from_le_bytes(*slot) }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_80_bytes_are_a_status() {
        let bytes: Vec<u8> = (0..81).collect();
        let status = Status::from_ssz(&bytes[..80]).unwrap();
        assert_eq!(status.to_ssz(), &bytes[..80]);
        assert_eq!(status.head.root[0], 40);
        assert!(Status::from_ssz(&bytes[..79]).is_none() && Status::from_ssz(&bytes).is_none());
    }
}
