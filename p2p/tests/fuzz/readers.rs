//! The readers, the valid inputs of each, and the properties of what each reads.

use data_encoding::BASE64;
use futures::{executor::block_on, io::Cursor};
use lean_p2p::{
    budget::MAX_BLOCK,
    contract::{self, proto::BeaconToEngine},
    enr::Enr,
    gossip::{Content, Counts, Kind, Topics},
    nodes_yaml,
    requests::{BY_ROOT, Codec, STATUS, Sizes},
    signature_form::SignatureForm,
    targets::Target,
    wire::{
        block_requests::{BlockRequest, blocks_of_chunk},
        frame::{self, LengthOf},
        status::Status,
    },
};
use libp2p::{
    gossipsub::{DataTransform, RawMessage},
    request_response::Codec as _,
};
use prost::Message;
use serde_json::Value;

/// A reader of foreign bytes.
pub struct Reader {
    pub name: &'static str,
    pub seeds: Vec<Vec<u8>>,
    /// The memory that it may take: a constant, and a factor for each byte of its input.
    pub memory: usize,
    pub expansion: usize,
    pub read: fn(&[u8]),
}

const KIB: usize = 1024;
/// The memory of the decoder of snappy frames, for a chunk in each state, and for texts of errors.
const DECODER: usize = 512 * KIB;

fn vectors(name: &str) -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/p2p").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn all_of(value: &Value, field: &str) -> Vec<Vec<u8>> {
    let of = |case: &Value| Some(hex::decode(case[field].as_str()?).unwrap());
    value.as_array().unwrap().iter().filter_map(of).collect()
}

fn frames() -> Vec<Vec<u8>> {
    let value = vectors("frames.json");
    let long = value.as_array().unwrap().iter().filter_map(|case| case["frame_base64"].as_str());
    let mut frames = all_of(&value, "frame");
    frames.extend(long.map(|text| BASE64.decode(text.as_bytes()).unwrap()));
    frames
}

fn texts(field: &str) -> Vec<Vec<u8>> {
    let value = vectors("enrs.json");
    value.as_array().unwrap().iter().filter_map(|case| case[field].as_str()).map(|text| text.into()).collect()
}

fn addresses() -> Vec<Vec<u8>> {
    let id = "16Uiu2HAmPQhkD6Zg5Co2ee8ShshkiY4tDePKFARPpCS2oKSLj1E1";
    let mut addresses = texts("enr");
    addresses.extend(["ip4/10.0.0.1", "ip6/::1"].map(|ip| format!("/{ip}/udp/9000/quic-v1/p2p/{id}").into_bytes()));
    addresses
}

fn answers() -> Vec<Vec<u8>> {
    let chunk = |frame: &Vec<u8>| [vec![0], frame.clone()].concat();
    let mut answers: Vec<_> = frames().iter().map(chunk).collect();
    answers.push([answers.concat(), [vec![1], frames().remove(0)].concat()].concat());
    answers
}

fn items(form: &str) -> Vec<Vec<u8>> {
    let value = vectors("signature_forms.json");
    ["vote", "block"].map(|kind| hex::decode(value[kind][form].as_str().unwrap()).unwrap()).into()
}

fn lists() -> Vec<Vec<u8>> {
    let block = items("flat").remove(1);
    let offsets = [4u32, 8, 8 + block.len() as u32].map(u32::to_le_bytes).concat();
    vec![block.clone(), [offsets, block.clone(), block].concat(), vec![4, 0, 0, 0]]
}

fn contract_messages() -> Vec<Vec<u8>> {
    use contract::proto::{
        BeaconHello, BlockAnswer, BlockRequest, BlocksByRange, BlocksByRoot, ChainStatus, Checkpoint, EndPeer, Publish,
        Verdict, Verdicts, beacon_to_engine::Content, block_request::Blocks,
    };
    let (vote, block) = (items("flat").remove(0), items("flat").remove(1));
    let checkpoint = Some(Checkpoint { root: vec![1; 32], slot: 5 });
    let status = ChainStatus { finalized: checkpoint.clone(), head: checkpoint };
    let hello =
        BeaconHello { contract_version: 1, validator_count: 4, slot_duration_ms: 4000, status: Some(status.clone()) };
    let request = |blocks| Content::Request(BlockRequest { id: 1, peer: 2, blocks: Some(blocks) });
    [
        Content::Hello(hello),
        Content::Status(status),
        Content::Publish(Publish { blocks: vec![block.clone()], votes: vec![vote; 2] }),
        Content::Verdicts(Verdicts { verdicts: vec![Verdict { id: 1, outcome: 1 }; 3] }),
        request(Blocks::ByRoot(BlocksByRoot { roots: vec![vec![1; 32]; 3] })),
        request(Blocks::ByRange(BlocksByRange { first_slot: 1, count: 8 })),
        Content::Answer(BlockAnswer { id: 1, blocks: vec![block], end: 1, message: "m".into() }),
        Content::EndPeer(EndPeer { peer: 1, ban_seconds: 60, reason: "r".into() }),
    ]
    .map(|content| BeaconToEngine { content: Some(content) }.encode_to_vec())
    .into()
}

fn read_frame(bytes: &[u8], most: usize) {
    let Ok((content, length_of)) = block_on(frame::read(&mut Cursor::new(bytes), most)) else { return };
    assert!(content.len() <= most);
    let own = frame::write(&content, length_of).unwrap();
    assert_eq!(block_on(frame::read(&mut Cursor::new(&own), most)).unwrap(), (content, length_of));
}

fn read_answer(bytes: &[u8]) {
    const SIZES: Sizes = Sizes { query: 80, chunk: 70 * KIB, chunks: 4, answer: 140 * KIB };
    // An error is a valid result.
    let Ok(answer) = block_on(Codec::new(SIZES).read_response(&BY_ROOT, &mut Cursor::new(bytes))) else { return };
    assert!(
        answer.chunks.len() <= 4 && answer.chunks.iter().map(|chunk| chunk.content.len()).sum::<usize>() <= 140 * KIB
    );
}

fn read_status(bytes: &[u8]) {
    if let Some(status) = Status::from_ssz(bytes) {
        assert_eq!(status.to_ssz(), bytes);
    }
    let sizes = Sizes { query: Status::SIZE, chunk: Status::SIZE, chunks: 1, answer: Status::SIZE };
    if let Ok(query) = block_on(Codec::new(sizes).read_request(&STATUS, &mut Cursor::new(bytes))) {
        assert!(query.ssz.len() <= Status::SIZE);
    }
}

fn read_block_request(bytes: &[u8]) {
    if let Some(request) = BlockRequest::roots_from_ssz(bytes) {
        let forms = [LengthOf::Content, LengthOf::Compressed].map(|length_of| request.to_ssz(length_of));
        assert!(forms.iter().any(|form| form == bytes) && request.most_blocks() <= 1024);
    }
    if let Some(request) = BlockRequest::range_from_ssz(bytes) {
        assert_eq!(request.to_ssz(LengthOf::Content), bytes);
    }
}

fn read_blocks(bytes: &[u8]) {
    let Some(blocks) = blocks_of_chunk(bytes) else { return };
    assert!(blocks.len() <= 1024 && blocks.iter().map(|block| block.len()).sum::<usize>() <= bytes.len());
}

fn read_enr(bytes: &[u8]) {
    if let Ok(enr) = Enr::parse(&String::from_utf8_lossy(bytes)) {
        // A mutated record has no valid signature.
        assert!(texts("enr").iter().any(|good| good == enr.to_string().as_bytes()), "{enr}");
    }
}

fn read_gossip(bytes: &[u8]) {
    let topics = Topics::new("devnet0");
    for form in [SignatureForm::Flat, SignatureForm::Leansig] {
        let content = Content::new(topics.clone(), form, Counts::default());
        for kind in [Kind::Block, Kind::Vote] {
            let topic = topics.of(kind).hash();
            let raw = RawMessage {
                source: None,
                data: bytes.into(),
                sequence_number: None,
                topic: topic.clone(),
                signature: None,
                key: None,
                validated: false,
            };
            let Ok(message) = content.inbound_transform(raw) else { continue };
            assert!(message.data.len() <= MAX_BLOCK);
            let wire = content.outbound_transform(&topic, message.data.clone()).unwrap();
            assert_eq!(snap::raw::Decoder::new().decompress_vec(&wire).unwrap(), message.data);
        }
    }
}

fn read_items(bytes: &[u8]) {
    for form in [SignatureForm::Flat, SignatureForm::Leansig] {
        if let Some(vote) = form.vote_from_wire(bytes) {
            assert_eq!(form.vote_to_wire(vote).unwrap(), bytes);
        }
        if let Some(block) = form.block_from_wire(bytes) {
            assert_eq!(form.block_to_wire(block).unwrap(), bytes);
        }
        // The input is in the beacon's form, which the other form may not be able to express.
        if let Some(wire) = form.block_to_wire(bytes) {
            assert_eq!(form.block_from_wire(wire).unwrap(), bytes);
        }
    }
}

fn read_contract(bytes: &[u8]) {
    let Ok(message) = BeaconToEngine::decode(bytes) else { return };
    // A refusal has a reason.
    assert!(contract::parse_hello(message.content.clone()).err().is_none_or(|why| !why.is_empty()));
    assert!(contract::parse(message.content).err().is_none_or(|why| !why.is_empty()));
}

/// All readers.
pub fn all_readers() -> Vec<Reader> {
    let reader = |name, seeds, memory, expansion, read| Reader { name, seeds, memory, expansion, read };
    let statuses = all_of(&vectors("status.json"), "ssz");
    let mut status_frames = frames();
    status_frames.extend(statuses.iter().map(|ssz| frame::write(ssz, LengthOf::Content).unwrap()));
    status_frames.extend(statuses);
    let requests = vectors("block_requests.json");
    let mut block_requests = all_of(&requests["by_root"], "bare");
    block_requests.extend(all_of(&requests["by_root"], "container"));
    block_requests.extend(all_of(&requests["by_range"], "ssz"));
    let mut both_forms = items("flat");
    both_forms.extend(items("leansig"));
    let compressed = |data: &Vec<u8>| snap::raw::Encoder::new().compress_vec(data).unwrap();
    let mut gossip = all_of(&vectors("message_ids.json"), "wire");
    gossip.extend(both_forms.iter().map(compressed));
    gossip.push(compressed(&vec![0; 1 << 20]));
    let list = texts("enr").into_iter().map(|enr| [b"- ", enr.as_slice(), b"\n"].concat()).collect::<Vec<_>>();
    let mut files = vec![list.concat(), b"---\n# nodes\n[]\n".to_vec()];
    files.extend(list);
    vec![
        reader("a frame of a Status", status_frames, DECODER, 4, read_status),
        reader("a frame of a request", frames(), DECODER + 4 * 33 * KIB, 4, |bytes| read_frame(bytes, 32 * KIB + 4)),
        reader("a long frame", frames(), DECODER + 4 * KIB * KIB, 4, |bytes| read_frame(bytes, KIB * KIB)),
        reader("an answer", answers(), DECODER + 4 * 140 * KIB, 4, read_answer),
        reader("a request for blocks", block_requests, 128 * KIB, 8, read_block_request),
        reader("a chunk of blocks", lists(), 64 * KIB, 8, read_blocks),
        reader("a node record", addresses(), 64 * KIB, 8, read_enr),
        reader("nodes.yaml", files, 64 * KIB, 16, |bytes| {
            nodes_yaml::parse(&String::from_utf8_lossy(bytes)).ok();
        }),
        reader("an address", addresses(), 64 * KIB, 16, |bytes| {
            Target::parse(&String::from_utf8_lossy(bytes)).ok();
        }),
        // The content is decompressed, compressed again for the comparison, and decompressed once more.
        reader("a message of gossip", gossip, 128 * KIB, 4 * 32, read_gossip),
        reader("a vote or block", both_forms, 64 * KIB, 8, read_items),
        reader("a message of the beacon", contract_messages(), 64 * KIB, 64, read_contract),
    ]
}
