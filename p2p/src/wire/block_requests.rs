//! The encoding of requests for blocks, and of the blocks in an answer.

use crate::{signature_form, wire::frame::LengthOf};

/// The most roots of a request, and the most slots of a range.
pub const MAX_BLOCKS: usize = 1024;

/// A request for blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlockRequest {
    /// 1 to [`MAX_BLOCKS`] roots.
    ByRoot(Vec<[u8; 32]>),
    /// Slots from `first`, 1 to [`MAX_BLOCKS`].
    ByRange {
        /// The first slot.
        first: u64,
        /// How many.
        count: u64,
    },
}

impl BlockRequest {
    /// Size of the largest request.
    pub const MAX_SIZE: usize = 4 + 32 * MAX_BLOCKS;

    /// Encodes a request as SSZ. Clients that count the content of a frame expect a bare list of roots. Clients that
    /// count compressed bytes (qlean and zeam of devnet-1, but not gean) expect the list in a container.
    pub fn to_ssz(&self, length_of: LengthOf) -> Vec<u8> {
        match self {
            Self::ByRoot(roots) => {
                let mut ssz = match length_of {
                    LengthOf::Content => vec![],
                    LengthOf::Compressed => LIST_IN_CONTAINER.to_vec(),
                };
                ssz.extend(roots.iter().flatten());
                ssz
            }
            Self::ByRange { first, count } => [first.to_le_bytes(), count.to_le_bytes()].concat(),
        }
    }

    /// Decodes roots in either form.
    pub fn roots_from_ssz(ssz: &[u8]) -> Option<Self> {
        let roots = match ssz.strip_prefix(&LIST_IN_CONTAINER) {
            Some(roots) if roots.len() % 32 == 0 => roots,
            _ => ssz,
        };
        let (roots, rest) = roots.as_chunks::<32>();
        (rest.is_empty() && (1..=MAX_BLOCKS).contains(&roots.len())).then(|| Self::ByRoot(roots.to_vec()))
    }

    /// Decodes a range.
    pub fn range_from_ssz(ssz: &[u8]) -> Option<Self> {
        let (first, rest) = ssz.split_first_chunk::<8>()?;
        let (count, rest) = rest.split_first_chunk::<8>()?;
        Self::range(u64::from_le_bytes(*first), u64::from_le_bytes(*count)).filter(|_| rest.is_empty())
    }

    /// Makes a request by range. None: the range is empty, too long, or goes beyond the last slot.
    pub fn range(first: u64, count: u64) -> Option<Self> {
        let fits = (1..=MAX_BLOCKS as u64).contains(&count) && first.checked_add(count).is_some();
        fits.then_some(Self::ByRange { first, count })
    }

    /// The most blocks in the answer to this request.
    pub fn most_blocks(&self) -> usize {
        match self {
            Self::ByRoot(roots) => roots.len(),
            Self::ByRange { count, .. } => *count as usize,
        }
    }
}

/// The offset of the only field of a container.
const LIST_IN_CONTAINER: [u8; 4] = [4, 0, 0, 0];

/// The blocks in one chunk of an answer: one block, as in the spec, or a container with a list, which qlean sends.
/// None: the chunk is neither.
pub fn blocks_of_chunk(chunk: &[u8]) -> Option<Vec<&[u8]>> {
    if signature_form::looks_like_block(chunk) {
        return Some(vec![chunk]);
    }
    let list = chunk.strip_prefix(&LIST_IN_CONTAINER)?;
    let Some((first, _)) = list.split_first_chunk::<4>() else { return list.is_empty().then(Vec::new) };
    // The offsets of the list come first. The first offset tells their number.
    let (offsets, rest) = list.split_at_checked(u32::from_le_bytes(*first) as usize)?.0.as_chunks::<4>();
    if !rest.is_empty() || offsets.is_empty() || offsets.len() > MAX_BLOCKS {
        return None;
    }
    let mut ends = offsets.iter().skip(1).map(|offset| u32::from_le_bytes(*offset) as usize).chain([list.len()]);
    let blocks = offsets.iter().map(|offset| list.get(u32::from_le_bytes(*offset) as usize..ends.next()?));
    blocks
        .collect::<Option<Vec<_>>>()
        .filter(|blocks| blocks.iter().all(|block| signature_form::looks_like_block(block)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_read_in_both_forms() {
        let request = BlockRequest::ByRoot(vec![[1; 32], [4; 32]]);
        assert_eq!(request.to_ssz(LengthOf::Content).len(), 64);
        assert_eq!(request.to_ssz(LengthOf::Compressed).len(), 68);
        for length_of in [LengthOf::Content, LengthOf::Compressed] {
            assert_eq!(BlockRequest::roots_from_ssz(&request.to_ssz(length_of)), Some(request.clone()));
        }
        // This is a bare list whose first root begins like a container.
        let mut root = [0; 32];
        root[0] = 4;
        let request = BlockRequest::ByRoot(vec![root]);
        assert_eq!(BlockRequest::roots_from_ssz(&request.to_ssz(LengthOf::Content)), Some(request));
    }

    #[test]
    fn requests_are_bounded() {
        assert!(BlockRequest::roots_from_ssz(&[0; 32 * 1024]).is_some());
        for size in [0, 4, 31, 33, 32 * 1025] {
            assert!(BlockRequest::roots_from_ssz(&vec![0; size]).is_none(), "{size}");
        }
        let range =
            |first: u64, count: u64| BlockRequest::range_from_ssz(&[first.to_le_bytes(), count.to_le_bytes()].concat());
        assert_eq!(range(5, 1024), Some(BlockRequest::ByRange { first: 5, count: 1024 }));
        assert!(range(5, 0).is_none() && range(5, 1025).is_none() && range(u64::MAX, 1).is_none());
    }

    #[test]
    fn a_chunk_has_one_block_or_a_list() {
        let block: &[u8] = &[8, 0, 0, 0, 12, 0, 0, 0, 1, 2, 3, 4];
        assert_eq!(blocks_of_chunk(block), Some(vec![block]));
        let mut list = vec![4, 0, 0, 0, 8, 0, 0, 0, 20, 0, 0, 0];
        list.extend([block, block].concat());
        assert_eq!(blocks_of_chunk(&list), Some(vec![block, block]));
        assert_eq!(blocks_of_chunk(&[4, 0, 0, 0]), Some(vec![]));
        for wrong in [
            &[][..],
            &[4, 0, 0],
            &[9, 0, 0, 0],
            &list[..11],
            &[4, 0, 0, 0, 0, 0, 0, 0],
            &[4, 0, 0, 0, 255, 255, 255, 255],
        ] {
            assert!(blocks_of_chunk(wrong).is_none(), "{wrong:?}");
        }
        list[8] = 0xff;
        assert!(blocks_of_chunk(&list).is_none());
    }
}
