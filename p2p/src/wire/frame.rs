//! The framing of requests and answers: a length, then the content as snappy frames.
//!
//! Clients differ in what the length counts. The spec and ream count the content; qlean, zeam and gean of devnet-1
//! count the compressed bytes. The reader finds out which of the two numbers is reached at the end of a snappy chunk.
//! It allocates nothing before it has checked the size.

use std::io::{self, ErrorKind, Read, Write};

use clap::ValueEnum;
use futures::{AsyncRead, AsyncReadExt};
use snap::{raw::max_compress_len, read::FrameDecoder, write::FrameEncoder};

/// What the length of a frame counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LengthOf {
    /// The bytes of the content, as in the spec and ream.
    #[default]
    Content,
    /// The bytes of the snappy frames, as in qlean, zeam and gean of devnet-1.
    Compressed,
}

impl LengthOf {
    /// The other form.
    pub fn other(self) -> Self {
        match self {
            Self::Content => Self::Compressed,
            Self::Compressed => Self::Content,
        }
    }
}

/// The content of every snappy chunk except the last.
const CHUNK_CONTENT: usize = 65_536;
/// The size of a chunk's header: kind and size.
const CHUNK_HEADER: usize = 4;
/// The size of the checksum before the content of a chunk.
const CHECKSUM: usize = 4;

/// The most compressed bytes of content of this size.
fn compressed_bound(content: usize) -> usize {
    max_compress_len(content) + (content / CHUNK_CONTENT + 2) * (CHUNK_HEADER + CHECKSUM + 2)
}

fn malformed<T>(why: &str) -> io::Result<T> {
    Err(io::Error::new(ErrorKind::InvalidData, why))
}

/// Encodes a frame.
pub fn write(content: &[u8], length_of: LengthOf) -> io::Result<Vec<u8>> {
    let mut encoder = FrameEncoder::new(vec![]);
    encoder.write_all(content)?;
    let compressed = encoder.into_inner().map_err(|error| error.into_error())?;
    let mut length = match length_of {
        LengthOf::Content => content.len(),
        LengthOf::Compressed => compressed.len(),
    };
    let mut frame = Vec::with_capacity(compressed.len() + 5);
    while length >= 0x80 {
        frame.push(length as u8 | 0x80);
        length >>= 7;
    }
    frame.push(length as u8);
    frame.extend(compressed);
    Ok(frame)
}

/// Reads a frame of at most `most` bytes of content. Returns the content and what the length counts.
pub async fn read<R: AsyncRead + Unpin>(io: &mut R, most: usize) -> io::Result<(Vec<u8>, LengthOf)> {
    let length = read_length(io).await?;
    if length > compressed_bound(most) {
        return malformed("the frame is longer than allowed");
    }
    let mut chunks = Chunks::new(length, most);
    if length == 0 {
        return Ok((vec![], LengthOf::Content));
    }
    loop {
        let Some(header) = read_header(io, chunks.may_be_over).await? else {
            return Ok((chunks.content, LengthOf::Compressed));
        };
        let size = chunks.check(header)?;
        chunks.chunk.resize(CHUNK_HEADER + size, 0);
        if let Some(body) = chunks.chunk.get_mut(CHUNK_HEADER..) {
            io.read_exact(body).await?;
        }
        if let Some(length_of) = chunks.take(header)? {
            return Ok((chunks.content, length_of));
        }
    }
}

async fn read_length<R: AsyncRead + Unpin>(io: &mut R) -> io::Result<usize> {
    let mut length = 0;
    for shift in [0, 7, 14, 21, 28] {
        let mut byte = [0];
        io.read_exact(&mut byte).await?;
        let [byte] = byte;
        length |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(length);
        }
    }
    malformed("the length is malformed")
}

/// Reads bytes. None: the stream has ended, and `may_end` allows that.
async fn read_header<R: AsyncRead + Unpin>(io: &mut R, may_end: bool) -> io::Result<Option<[u8; CHUNK_HEADER]>> {
    let mut header = [0; CHUNK_HEADER];
    match io.read_exact(&mut header).await {
        Err(error) if may_end && error.kind() == ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
        Ok(()) => Ok(Some(header)),
    }
}

/// Reads the snappy chunks of a frame.
struct Chunks {
    length: usize,
    most: usize,
    /// The current chunk with its header.
    chunk: Vec<u8>,
    decoder: FrameDecoder<io::Cursor<Vec<u8>>>,
    content: Vec<u8>,
    compressed: usize,
    /// The frame either is complete, and the length counts compressed bytes, or continues, and the length counts the
    /// content. Only the end of the stream tells. This happens if an incompressible chunk ends exactly at the length.
    may_be_over: bool,
}

impl Chunks {
    fn new(length: usize, most: usize) -> Self {
        Self {
            length,
            most,
            chunk: vec![],
            decoder: FrameDecoder::new(io::Cursor::new(vec![])),
            content: vec![],
            compressed: 0,
            may_be_over: false,
        }
    }

    /// The size of the chunk with this header.
    fn check(&mut self, header: [u8; CHUNK_HEADER]) -> io::Result<usize> {
        let [kind, a, b, c] = header;
        let size = u32::from_le_bytes([a, b, c, 0]) as usize;
        let fits = match kind {
            0x00 | 0x01 => (CHECKSUM..=CHECKSUM + max_compress_len(CHUNK_CONTENT)).contains(&size),
            0xfe => size <= CHUNK_CONTENT,
            0xff => size == 6,
            _ => false,
        };
        if !fits {
            return malformed("a snappy chunk is malformed");
        }
        self.compressed += CHUNK_HEADER + size;
        if self.compressed > compressed_bound(self.most) {
            return malformed("the frame is longer than allowed");
        }
        self.chunk.clear();
        self.chunk.extend(header);
        Ok(size)
    }

    /// Decodes `self.chunk`. Returns what the length counts if the frame is complete.
    fn take(&mut self, header: [u8; CHUNK_HEADER]) -> io::Result<Option<LengthOf>> {
        let before = self.content.len();
        let source = self.decoder.get_mut();
        source.set_position(0);
        std::mem::swap(source.get_mut(), &mut self.chunk);
        let room = (self.most - before) as u64 + 1;
        (&mut self.decoder).take(room).read_to_end(&mut self.content)?;
        if self.content.len() > self.most {
            return malformed("the content is longer than allowed");
        }
        if matches!(header, [0xfe | 0xff, ..]) {
            return Ok(None);
        }
        if self.content.len() == self.length {
            return Ok(Some(LengthOf::Content));
        }
        self.may_be_over = false;
        if self.compressed == self.length {
            if self.content.len() - before < CHUNK_CONTENT {
                return Ok(Some(LengthOf::Compressed));
            }
            self.may_be_over = true;
        }
        if self.content.len() > self.length && self.compressed > self.length {
            return malformed("the frame is longer than its length");
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use futures::{executor::block_on, io::Cursor};

    use super::*;

    /// Incompressible bytes.
    fn noise(count: usize) -> Vec<u8> {
        let mut state = 1u64;
        let next = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as u8
        };
        (0..count).map(next).collect()
    }

    fn read_all(bytes: &[u8], most: usize) -> io::Result<(Vec<u8>, LengthOf)> {
        block_on(read(&mut Cursor::new(bytes), most))
    }

    #[test]
    fn both_forms_are_read_and_told_apart() {
        for content in
            [vec![7; 80], vec![0; 1 << 20], noise(1), noise(80), noise(65_536), noise(65_537), noise(1 << 20)]
        {
            for length_of in [LengthOf::Content, LengthOf::Compressed] {
                let frame = write(&content, length_of).unwrap();
                assert_eq!(read_all(&frame, 1 << 20).unwrap(), (content.clone(), length_of), "{} bytes", content.len());
            }
        }
    }

    #[test]
    fn a_frame_ends_where_it_ends() {
        for length_of in [LengthOf::Content, LengthOf::Compressed] {
            let mut stream = write(&noise(100_000), length_of).unwrap();
            stream.extend(write(&[9; 80], length_of).unwrap());
            let mut stream = Cursor::new(stream);
            assert_eq!(block_on(read(&mut stream, 100_000)).unwrap().0.len(), 100_000);
            assert_eq!(block_on(read(&mut stream, 80)).unwrap().0, [9; 80]);
        }
    }

    #[test]
    fn a_length_that_both_counts_meet_is_the_contents_while_more_follows() {
        // After two incompressible chunks there are 10 + 2 * 65544 compressed bytes, which is also the length of the
        // content of three chunks if the last one has 26 bytes.
        let content = noise(2 * 65_536 + 26);
        let frame = write(&content, LengthOf::Content).unwrap();
        assert_eq!(read_all(&frame, 1 << 20).unwrap(), (content, LengthOf::Content));
    }

    #[test]
    fn a_frame_that_is_too_long_is_refused_before_it_is_read() {
        for length_of in [LengthOf::Content, LengthOf::Compressed] {
            let frame = write(&[0; 200_000], length_of).unwrap();
            assert_eq!(read_all(&frame, 100_000).unwrap_err().kind(), ErrorKind::InvalidData);
        }
        let error = read_all(&[0xff, 0xff, 0xff, 0xff, 0x0f], 80).unwrap_err();
        assert_eq!(error.to_string(), "the frame is longer than allowed");
        assert_eq!(read_all(&[0xff; 6], 80).unwrap_err().to_string(), "the length is malformed");
    }

    #[test]
    fn a_chunk_that_claims_much_is_refused_before_it_is_read() {
        for header in [[0x00, 0xff, 0xff, 0xff], [0x01, 0xff, 0xff, 0xff], [0xfe, 0xff, 0xff, 0xff], [0x80, 1, 0, 0]] {
            let mut frame = vec![80];
            frame.extend(header);
            assert_eq!(read_all(&frame, 80).unwrap_err().to_string(), "a snappy chunk is malformed");
        }
    }

    #[test]
    fn padding_without_end_is_refused() {
        let mut frame = vec![80, 0xff, 6, 0, 0];
        frame.extend(b"sNaPpY");
        for _ in 0..100 {
            frame.extend([0xfe, 0xff, 0, 0]);
            frame.extend([0; 0xff]);
        }
        assert_eq!(read_all(&frame, 80).unwrap_err().to_string(), "the frame is longer than allowed");
    }

    #[test]
    fn every_cut_and_every_changed_byte_is_survived() {
        let good = write(&noise(300), LengthOf::Content).unwrap();
        for i in 0..good.len() {
            assert!(read_all(&good[..i], 300).is_err(), "cut at {i}");
            for bit in 0..8 {
                let mut bad = good.clone();
                bad[i] ^= 1 << bit;
                if let Ok((content, _)) = read_all(&bad, 300) {
                    // Only a length in the other form is accepted; any other change breaks the checksum.
                    assert!(i < 2 && content == noise(300), "byte {i}");
                }
            }
        }
    }
}
