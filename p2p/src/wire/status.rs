//! The status message: the state of a client's chain.

/// A block, identified by root and slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// hash_tree_root of the block.
    pub root: [u8; 32],
    /// Its slot.
    pub slot: u64,
}

/// The state of a client's chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// The latest finalized block.
    pub finalized: Checkpoint,
    /// The head.
    pub head: Checkpoint,
}

impl Status {
    /// Size of its SSZ.
    pub const SIZE: usize = 80;

    /// Encodes SSZ: finalized root and slot, head root and slot.
    pub fn to_ssz(self) -> Vec<u8> {
        let mut ssz = Vec::with_capacity(Self::SIZE);
        for checkpoint in [self.finalized, self.head] {
            ssz.extend(checkpoint.root);
            ssz.extend(checkpoint.slot.to_le_bytes());
        }
        ssz
    }

    /// Decodes SSZ. None: it is not a status.
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
