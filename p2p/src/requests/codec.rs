//! Requests and answers on a stream.

use std::io::{self, ErrorKind};

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::{StreamProtocol, request_response};

use super::code;
use crate::wire::frame::{self, LengthOf};

/// The longest text of an error.
const MAX_ERROR: usize = 1024;

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The content.
    pub ssz: Vec<u8>,
    /// What the length of the frame counts.
    pub length_of: LengthOf,
}

/// A part of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// See [`code`].
    pub code: u8,
    /// SSZ, or the text of an error.
    pub content: Vec<u8>,
}

/// An answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The parts. An empty answer means that the other side has nothing of what was requested.
    pub chunks: Vec<Chunk>,
    /// What the lengths of the frames count.
    pub length_of: LengthOf,
}

impl Answer {
    /// An answer that is an error.
    pub fn error(code: u8, text: &str, length_of: LengthOf) -> Self {
        Self { chunks: vec![Chunk { code, content: text.into() }], length_of }
    }
}

/// The size limits of a kind of request, in bytes of content.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// The largest request.
    pub query: usize,
    /// The largest chunk.
    pub chunk: usize,
    /// The most chunks.
    pub chunks: usize,
    /// The most bytes of all chunks. Chunks beyond it are not read, except the first.
    pub answer: usize,
}

/// Reads and writes requests of one kind.
#[derive(Clone, Debug)]
pub struct Codec {
    sizes: Sizes,
}

impl Codec {
    /// Makes a codec with these limits.
    pub fn new(sizes: Sizes) -> Self {
        Self { sizes }
    }
}

impl request_response::Codec for Codec {
    type Protocol = StreamProtocol;
    type Request = Query;
    type Response = Answer;

    async fn read_request<T: AsyncRead + Unpin + Send>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Query> {
        let (ssz, length_of) = frame::read(io, self.sizes.query).await?;
        Ok(Query { ssz, length_of })
    }

    async fn read_response<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
    ) -> io::Result<Answer> {
        let mut answer = Answer::default();
        let mut bytes = 0;
        // Some clients leave the stream open after a status. A complete answer does not wait for its end.
        while answer.chunks.len() < self.sizes.chunks && bytes < self.sizes.answer {
            let mut code = [0];
            match io.read_exact(&mut code).await {
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => break,
                result => result?,
            }
            let [code] = code;
            let most = if code == code::SUCCESS { self.sizes.chunk } else { MAX_ERROR };
            let (content, length_of) = frame::read(io, most).await?;
            bytes += content.len();
            if bytes > self.sizes.answer && !answer.chunks.is_empty() {
                break;
            }
            answer.length_of = length_of;
            answer.chunks.push(Chunk { code, content });
            if code != code::SUCCESS {
                break;
            }
        }
        Ok(answer)
    }

    async fn write_request<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        query: Query,
    ) -> io::Result<()> {
        io.write_all(&frame::write(&query.ssz, query.length_of)?).await
    }

    async fn write_response<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        answer: Answer,
    ) -> io::Result<()> {
        for chunk in answer.chunks {
            io.write_all(&[chunk.code]).await?;
            io.write_all(&frame::write(&chunk.content, answer.length_of)?).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use futures::{executor::block_on, io::Cursor};
    use libp2p::request_response::Codec as _;

    use super::*;
    use crate::requests::BY_ROOT;

    const SIZES: Sizes = Sizes { query: 100, chunk: 1000, chunks: 3, answer: 1500 };

    fn chunk(code: u8, size: usize) -> Chunk {
        Chunk { code, content: vec![code; size] }
    }

    fn through(chunks: Vec<Chunk>, length_of: LengthOf) -> io::Result<Answer> {
        let mut stream = Cursor::new(vec![]);
        block_on(Codec::new(SIZES).write_response(&BY_ROOT, &mut stream, Answer { chunks, length_of })).unwrap();
        stream.set_position(0);
        block_on(Codec::new(SIZES).read_response(&BY_ROOT, &mut stream))
    }

    #[test]
    fn answers_go_there_and_back_in_both_forms() {
        for length_of in [LengthOf::Content, LengthOf::Compressed] {
            let chunks = vec![chunk(0, 400), chunk(0, 500)];
            assert_eq!(through(chunks.clone(), length_of).unwrap(), Answer { chunks, length_of });
        }
        assert_eq!(through(vec![], LengthOf::Content).unwrap(), Answer::default());
    }

    #[test]
    fn answers_are_bounded() {
        let taken = |chunks| through(chunks, LengthOf::Content).map(|answer| answer.chunks.len());
        assert_eq!(taken(vec![chunk(0, 10); 5]).unwrap(), 3);
        assert_eq!(taken(vec![chunk(0, 1000); 3]).unwrap(), 1);
        assert!(taken(vec![chunk(0, 1001)]).is_err());
        assert!(taken(vec![chunk(2, MAX_ERROR + 1)]).is_err());
    }

    #[test]
    fn an_error_ends_an_answer() {
        let answer = through(vec![chunk(0, 10), chunk(2, 10), chunk(0, 10)], LengthOf::Content).unwrap();
        assert_eq!(answer.chunks.iter().map(|chunk| chunk.code).collect::<Vec<_>>(), [0, 2]);
    }

    #[test]
    fn a_request_that_is_too_long_is_refused() {
        let mut stream = Cursor::new(frame::write(&[0; 101], LengthOf::Content).unwrap());
        assert!(block_on(Codec::new(SIZES).read_request(&BY_ROOT, &mut stream)).is_err());
    }
}
