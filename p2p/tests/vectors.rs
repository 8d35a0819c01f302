//! Replays the vectors of `tests/vectors/p2p`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::{net::SocketAddr, path::Path};

use data_encoding::BASE64;
use futures::{executor::block_on, io::Cursor};
use lean_p2p::{
    enr::Enr,
    gossip::message_id,
    signature_form::SignatureForm,
    wire::{
        block_requests::BlockRequest,
        frame::{self, LengthOf},
        status::{Checkpoint, Status},
    },
};
use serde_json::Value;
use sha2::{Digest, Sha256};

fn vectors(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/p2p").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn cases(value: &Value) -> &Vec<Value> {
    let cases = value.as_array().unwrap();
    assert!(!cases.is_empty());
    cases
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn number(value: &Value) -> u64 {
    value.as_str().unwrap().parse().unwrap()
}

#[test]
fn enrs() {
    for case in cases(&vectors("enrs.json")) {
        let (text, name) = (case["enr"].as_str().unwrap(), &case["name"]);
        let enr = Enr::parse(text);
        if case["good"] == false {
            assert!(enr.is_err(), "{name}");
            continue;
        }
        let enr = enr.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(enr.sequence, case["sequence"].as_u64().unwrap(), "{name}");
        assert_eq!(enr.peer_id.to_string(), case["peer_id"], "{name}");
        assert_eq!(SocketAddr::new(enr.ip, enr.ports.quic.unwrap()).to_string(), case["address"], "{name}");
        assert_eq!(enr.to_string(), text, "{name}");
    }
}

#[test]
fn message_ids() {
    for case in cases(&vectors("message_ids.json")) {
        let decompressed = snap::raw::Decoder::new().decompress_vec(&bytes(&case["wire"]));
        if case["content"].is_null() {
            // The message is dropped and needs no id.
            assert!(decompressed.is_err());
            continue;
        }
        let content = bytes(&case["content"]);
        assert_eq!(decompressed.unwrap(), content);
        assert_eq!(message_id(case["topic"].as_str().unwrap(), &content), bytes(&case["message_id"]));
    }
}

#[test]
fn frames() {
    for case in cases(&vectors("frames.json")) {
        let frame = match case["frame_base64"].as_str() {
            Some(text) => BASE64.decode(text.as_bytes()).unwrap(),
            None => bytes(&case["frame"]),
        };
        let (content, length_of) = block_on(frame::read(&mut Cursor::new(&frame), 1 << 20)).unwrap();
        let expected = if case["length_of"] == "content" { LengthOf::Content } else { LengthOf::Compressed };
        assert_eq!(length_of, expected, "{}", case["name"]);
        assert_eq!(content.len() as u64, case["content_size"].as_u64().unwrap());
        assert_eq!(Sha256::digest(&content).to_vec(), bytes(&case["content_sha256"]));
        // The engine may compress differently. It must read both alike.
        let own = frame::write(&content, length_of).unwrap();
        assert_eq!(block_on(frame::read(&mut Cursor::new(&own), 1 << 20)).unwrap(), (content, length_of));
    }
}

#[test]
fn statuses() {
    for case in cases(&vectors("status.json")) {
        let checkpoint = |value: &Value| Checkpoint {
            root: bytes(&value["root"]).try_into().unwrap(),
            slot: number(&value["slot"]),
        };
        let status = Status { finalized: checkpoint(&case["finalized"]), head: checkpoint(&case["head"]) };
        assert_eq!(status.to_ssz(), bytes(&case["ssz"]));
        assert_eq!(Status::from_ssz(&bytes(&case["ssz"])), Some(status));
    }
}

#[test]
fn block_requests() {
    let vectors = vectors("block_requests.json");
    for case in cases(&vectors["by_root"]) {
        let roots = cases(&case["roots"]).iter().map(|root| bytes(root).try_into().unwrap()).collect();
        let request = BlockRequest::ByRoot(roots);
        for (form, length_of) in [("bare", LengthOf::Content), ("container", LengthOf::Compressed)] {
            assert_eq!(request.to_ssz(length_of), bytes(&case[form]));
            assert_eq!(BlockRequest::roots_from_ssz(&bytes(&case[form])), Some(request.clone()));
        }
    }
    for case in cases(&vectors["by_range"]) {
        let request = BlockRequest::range(number(&case["first"]), number(&case["count"])).unwrap();
        assert_eq!(request.to_ssz(LengthOf::Content), bytes(&case["ssz"]));
        assert_eq!(BlockRequest::range_from_ssz(&bytes(&case["ssz"])), Some(request));
    }
}

#[test]
fn signature_forms() {
    let vectors = vectors("signature_forms.json");
    let (vote, block) = (&vectors["vote"], &vectors["block"]);
    for (form, name) in [(SignatureForm::Flat, "flat"), (SignatureForm::Leansig, "leansig")] {
        assert_eq!(form.vote_to_wire(bytes(&vote["flat"])).unwrap(), bytes(&vote[name]), "{name}");
        assert_eq!(form.vote_from_wire(bytes(&vote[name])).unwrap(), bytes(&vote["flat"]), "{name}");
        assert_eq!(form.block_to_wire(bytes(&block["flat"])).unwrap(), bytes(&block[name]), "{name}");
        assert_eq!(form.block_from_wire(bytes(&block[name])).unwrap(), bytes(&block["flat"]), "{name}");
    }
}
