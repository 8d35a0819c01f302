//! The two encodings of XMSS signatures on the wire, and the conversion between them.
//!
//! The spec and the beacon use 3116 flat bytes: path 1024, rho 28, hashes 2048, 16 zeros. ream, zeam, grandine and gean
//! send leanSig's SSZ container of 3112 bytes: the same fields behind three offsets. Signatures are neither signed nor
//! part of a block's root, so that the encoding can be changed. The conversion is lossless in both directions: it fails
//! for values that the other form cannot express. An item that the caller owns and that needs no conversion is not copied.

use std::borrow::Cow;

use clap::ValueEnum;

use crate::budget::MAX_BLOCK;

/// Sizes of a signature in the flat form, and of each of its parts.
const FLAT: usize = PATH + RHO + HASHES + ZEROS;
const PATH: usize = 1024;
const RHO: usize = 28;
const HASHES: usize = 2048;
const ZEROS: usize = 16;
/// Size of a signature in leanSig's form: offset of the path, rho, offset of the hashes, then the path, which is a
/// container of one list, and the hashes.
const LEANSIG: usize = HEAD + 4 + PATH + HASHES;
/// Size of the part before the path in leanSig's form.
const HEAD: usize = 4 + RHO + 4;
/// Offset of the hashes in leanSig's form.
const HASHES_AT: usize = HEAD + 4 + PATH;
/// Size of SSZ(Attestation). The signature of a vote follows it.
const ATTESTATION: usize = 136;
/// The most signatures of a block: 4095 votes and the proposer.
const MAX_SIGNATURES: usize = 4096;

/// Size of SSZ(SignedAttestation) in the beacon's form.
pub const VOTE: usize = ATTESTATION + FLAT;

/// The encoding of signatures on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SignatureForm {
    /// 3116 flat bytes.
    Flat,
    /// leanSig's SSZ container of 3112 bytes.
    Leansig,
}

impl SignatureForm {
    /// Size of a signature.
    fn size(self) -> usize {
        match self {
            Self::Flat => FLAT,
            Self::Leansig => LEANSIG,
        }
    }

    /// Size of a vote.
    pub fn vote_size(self) -> usize {
        ATTESTATION + self.size()
    }

    /// Converts SSZ(SignedAttestation) for the wire. None: it is not a vote in the beacon's form.
    pub fn vote_to_wire<'a>(self, vote: impl Into<Cow<'a, [u8]>>) -> Option<Vec<u8>> {
        let vote = vote.into();
        convert(vote_signatures_at(&vote, FLAT)?, vote, FLAT, self.writer())
    }

    /// Converts SSZ(SignedAttestation) for the beacon. None: it is not a vote in this form.
    pub fn vote_from_wire<'a>(self, wire: impl Into<Cow<'a, [u8]>>) -> Option<Vec<u8>> {
        let wire = wire.into();
        convert(vote_signatures_at(&wire, self.size())?, wire, self.size(), self.reader())
    }

    /// Converts SSZ(SignedBlockWithAttestation) for the wire. None: it is not a block in the beacon's form.
    pub fn block_to_wire<'a>(self, block: impl Into<Cow<'a, [u8]>>) -> Option<Vec<u8>> {
        let block = block.into();
        convert(block_signatures_at(&block, FLAT)?, block, FLAT, self.writer())
    }

    /// Converts SSZ(SignedBlockWithAttestation) for the beacon. None: it is not a block in this form.
    pub fn block_from_wire<'a>(self, wire: impl Into<Cow<'a, [u8]>>) -> Option<Vec<u8>> {
        let wire = wire.into();
        let block = convert(block_signatures_at(&wire, self.size())?, wire, self.size(), self.reader())?;
        (block.len() <= MAX_BLOCK).then_some(block)
    }

    /// None: signatures remain as they are.
    fn writer(self) -> Option<Convert> {
        match self {
            Self::Flat => None,
            Self::Leansig => Some(to_leansig),
        }
    }

    /// None: signatures remain as they are.
    fn reader(self) -> Option<Convert> {
        match self {
            Self::Flat => None,
            Self::Leansig => Some(to_flat),
        }
    }
}

/// Appends a signature in the other form. None: the other form cannot express it.
type Convert = fn(&[u8], &mut Vec<u8>) -> Option<()>;

fn convert(signatures_at: usize, item: Cow<[u8]>, size: usize, write: Option<Convert>) -> Option<Vec<u8>> {
    let Some(write) = write else { return Some(item.into_owned()) };
    let (before, signatures) = item.split_at_checked(signatures_at)?;
    let mut out = Vec::with_capacity(signatures_at + signatures.len() / size * FLAT.max(LEANSIG));
    out.extend(before);
    for signature in signatures.chunks_exact(size) {
        write(signature, &mut out)?;
    }
    Some(out)
}

fn to_leansig(flat: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let (path, rest) = flat.split_at_checked(PATH)?;
    let (rho, rest) = rest.split_at_checked(RHO)?;
    let (hashes, zeros) = rest.split_at_checked(HASHES)?;
    if zeros != [0; ZEROS] {
        return None;
    }
    out.extend((HEAD as u32).to_le_bytes());
    out.extend(rho);
    out.extend((HASHES_AT as u32).to_le_bytes());
    out.extend(4u32.to_le_bytes());
    out.extend(path);
    out.extend(hashes);
    Some(())
}

fn to_flat(leansig: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let rest = leansig.strip_prefix(&(HEAD as u32).to_le_bytes())?;
    let (rho, rest) = rest.split_at_checked(RHO)?;
    let rest = rest.strip_prefix(&(HASHES_AT as u32).to_le_bytes())?;
    let rest = rest.strip_prefix(&4u32.to_le_bytes())?;
    let (path, hashes) = rest.split_at_checked(PATH)?;
    out.extend(path);
    out.extend(rho);
    out.extend(hashes);
    out.extend([0; ZEROS]);
    Some(())
}

/// The offset of the message in a block: two offsets precede it.
const MESSAGE_AT: [u8; 4] = [8, 0, 0, 0];

/// Whether the bytes begin like SSZ(SignedBlockWithAttestation).
pub fn looks_like_block(ssz: &[u8]) -> bool {
    ssz.starts_with(&MESSAGE_AT) && ssz.len() >= 12
}

fn vote_signatures_at(vote: &[u8], size: usize) -> Option<usize> {
    (vote.len() == ATTESTATION + size).then_some(ATTESTATION)
}

/// Whether it is a block in the beacon's form, as far as its sizes tell.
pub fn is_block(block: &[u8]) -> bool {
    block_signatures_at(block, FLAT).is_some()
}

/// The offset of the signatures in a block, if they have this size.
fn block_signatures_at(block: &[u8], size: usize) -> Option<usize> {
    let (at, _) = block.strip_prefix(&MESSAGE_AT)?.split_first_chunk::<4>()?;
    let at = u32::from_le_bytes(*at) as usize;
    let signatures = block.len().checked_sub(at).filter(|_| at >= 8)?;
    (signatures % size == 0 && (1..=MAX_SIGNATURES).contains(&(signatures / size))).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature() -> Vec<u8> {
        let mut flat: Vec<u8> = (0..FLAT - ZEROS).map(|i| (i * 7) as u8).collect();
        flat.extend([0; ZEROS]);
        flat
    }

    fn block(signatures: usize) -> Vec<u8> {
        let mut block = vec![8, 0, 0, 0, 20, 0, 0, 0];
        block.extend([9; 12]);
        (0..signatures).for_each(|_| block.extend(signature()));
        block
    }

    #[test]
    fn votes_go_there_and_back() {
        let vote = [vec![5; ATTESTATION], signature()].concat();
        assert_eq!(vote.len(), VOTE);
        for (form, size) in [(SignatureForm::Flat, 3252), (SignatureForm::Leansig, 3248)] {
            let wire = form.vote_to_wire(&vote).unwrap();
            assert_eq!((wire.len(), form.vote_size()), (size, size));
            assert_eq!(form.vote_from_wire(&wire).unwrap(), vote);
            assert!(form.vote_from_wire(&wire[1..]).is_none());
        }
        assert!(SignatureForm::Flat.vote_from_wire(SignatureForm::Leansig.vote_to_wire(&vote).unwrap()).is_none());
    }

    #[test]
    fn blocks_go_there_and_back() {
        let block = block(3);
        for (form, size) in [(SignatureForm::Flat, 3116), (SignatureForm::Leansig, 3112)] {
            let wire = form.block_to_wire(&block).unwrap();
            assert_eq!(wire.len(), 20 + 3 * size);
            assert_eq!(form.block_from_wire(&wire).unwrap(), block);
        }
    }

    #[test]
    fn what_needs_no_conversion_is_not_copied() {
        let block = block(3);
        let bytes = block.as_ptr();
        let wire = SignatureForm::Flat.block_to_wire(block).unwrap();
        let read = SignatureForm::Flat.block_from_wire(wire).unwrap();
        assert_eq!(read.as_ptr(), bytes);
    }

    #[test]
    fn what_the_other_form_cannot_express_is_refused() {
        let mut vote = [vec![5; ATTESTATION], signature()].concat();
        *vote.last_mut().unwrap() = 1;
        assert!(SignatureForm::Flat.vote_to_wire(&vote).is_some());
        assert!(SignatureForm::Leansig.vote_to_wire(&vote).is_none());
        let wire = SignatureForm::Leansig.block_to_wire(block(1)).unwrap();
        for offset in [20, 20 + 32, 20 + 36] {
            let mut wrong = wire.clone();
            wrong[offset] ^= 1;
            assert!(SignatureForm::Leansig.block_from_wire(&wrong).is_none(), "offset at {offset}");
        }
    }

    #[test]
    fn what_is_no_block_is_refused() {
        let good = block(2);
        let mut offset_beyond = good.clone();
        offset_beyond[6] = 0xff;
        let mut offset_before = good.clone();
        offset_before[4] = 7;
        let mut wrong_message = good.clone();
        wrong_message[0] = 12;
        for wrong in
            [&good[..good.len() - 1], &good[..20], &good[..7], &[], &offset_beyond, &offset_before, &wrong_message]
        {
            assert!(SignatureForm::Flat.block_from_wire(wrong).is_none());
            assert!(SignatureForm::Flat.block_to_wire(wrong).is_none());
            assert!(!is_block(wrong));
        }
    }
}
