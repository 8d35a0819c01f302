//! Ethereum node records (EIP-778) of the identity scheme v4, as far as `nodes.yaml` needs them: a peer's key and where
//! it listens for QUIC.

use std::{
    collections::BTreeMap,
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use data_encoding::BASE64URL_NOPAD;
use k256::ecdsa::{
    Signature, SigningKey, VerifyingKey,
    signature::hazmat::{PrehashSigner, PrehashVerifier},
};
use libp2p::{Multiaddr, PeerId, identity, multiaddr::Protocol};
use sha3::{Digest, Keccak256};

/// The most bytes that a record has.
const MAX_RECORD: usize = 300;

/// A record whose signature was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enr {
    /// Grows with every change of the record.
    pub sequence: u64,
    /// Of the node's key.
    pub peer_id: PeerId,
    /// Where it listens for QUIC.
    pub address: SocketAddr,
    text: String,
}

impl Enr {
    /// Reads `enr:...`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let encoded = text.strip_prefix("enr:").ok_or("it does not begin with enr:")?;
        if encoded.len() > MAX_RECORD * 4 / 3 + 3 {
            return Err(format!("it has more than {MAX_RECORD} bytes"));
        }
        let record = BASE64URL_NOPAD.decode(encoded.as_bytes()).map_err(|_| "it is no base64url")?;
        if record.len() > MAX_RECORD {
            return Err(format!("it has more than {MAX_RECORD} bytes"));
        }
        let (content, rest) = rlp::list(&record)?;
        if !rest.is_empty() {
            return Err("something follows the record".into());
        }
        let (signature, signed) = rlp::bytes(content)?;
        let (sequence, fields) = rlp::bytes(signed)?;
        let fields = Self::fields(fields)?;
        let field = |name: &str| fields.get(name.as_bytes()).copied().ok_or(format!("it has no {name}"));
        if field("id")? != b"v4" {
            return Err("its identity scheme is not v4".into());
        }
        let key = field("secp256k1")?;
        let hash = Keccak256::digest(rlp::as_list(signed));
        let signature = Signature::from_slice(signature).map_err(|_| "its signature is malformed")?;
        VerifyingKey::from_sec1_bytes(key)
            .and_then(|key| key.verify_prehash(&hash, &signature))
            .map_err(|_| "its signature is wrong")?;
        let key = identity::secp256k1::PublicKey::try_from_bytes(key).map_err(|_| "its key is malformed")?;
        let address = match (field("ip"), field("ip6")) {
            (Ok(ip), _) => SocketAddr::new(ipv4(ip)?, port(field("quic")?)?),
            (_, Ok(ip)) => SocketAddr::new(ipv6(ip)?, port(field("quic6").or(field("quic"))?)?),
            (Err(error), _) => return Err(error),
        };
        Ok(Self {
            sequence: number(sequence)?,
            peer_id: PeerId::from_public_key(&identity::PublicKey::from(key)),
            address,
            text: text.into(),
        })
    }

    /// Names must grow, so that each comes once.
    fn fields(mut rest: &[u8]) -> Result<BTreeMap<&[u8], &[u8]>, String> {
        let mut fields = BTreeMap::new();
        while !rest.is_empty() {
            let (name, after) = rlp::bytes(rest)?;
            // Values of fields that the engine does not know may be lists.
            let (value, after) = rlp::item(after)?;
            if fields.last_key_value().is_some_and(|(last, _)| *last >= name) {
                return Err("its fields are not in order".into());
            }
            fields.insert(name, value);
            rest = after;
        }
        Ok(fields)
    }

    /// The record of a node with this key.
    pub fn make(key: &identity::Keypair, address: SocketAddr, sequence: u64) -> Result<Self, String> {
        let pair = key.clone().try_into_secp256k1().map_err(|_| "the node key is not of secp256k1")?;
        let (ip, ip_name, port_name) = match address.ip() {
            IpAddr::V4(ip) => (ip.octets().to_vec(), "ip", "quic"),
            IpAddr::V6(ip) => (ip.octets().to_vec(), "ip6", "quic6"),
        };
        let mut signed = rlp::as_number(sequence);
        let public = pair.public().to_bytes();
        let port = rlp::as_number(address.port().into());
        // In the order of their names.
        for (name, value) in [
            ("id", rlp::as_bytes(b"v4")),
            (ip_name, rlp::as_bytes(&ip)),
            (port_name, port),
            ("secp256k1", rlp::as_bytes(&public)),
        ] {
            signed.extend(rlp::as_bytes(name.as_bytes()));
            signed.extend(value);
        }
        let signature: Signature = SigningKey::from_slice(&pair.secret().to_bytes())
            .and_then(|key| key.sign_prehash(&Keccak256::digest(rlp::as_list(&signed))))
            .map_err(|_| "the node key does not sign")?;
        let mut content = rlp::as_bytes(&signature.normalize_s().to_bytes());
        content.extend(signed);
        let text = format!("enr:{}", BASE64URL_NOPAD.encode(&rlp::as_list(&content)));
        Ok(Self { sequence, peer_id: key.public().to_peer_id(), address, text })
    }

    /// The address to dial, without the peer's id.
    pub fn multiaddr(&self) -> Multiaddr {
        quic_address(self.address)
    }
}

impl fmt::Display for Enr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// `/ip4/127.0.0.1/udp/9000/quic-v1`
pub fn quic_address(address: SocketAddr) -> Multiaddr {
    Multiaddr::from(address.ip()).with(Protocol::Udp(address.port())).with(Protocol::QuicV1)
}

fn ipv4(bytes: &[u8]) -> Result<IpAddr, String> {
    let octets: [u8; 4] = bytes.try_into().map_err(|_| "its ip has not 4 bytes")?;
    Ok(Ipv4Addr::from(octets).into())
}

fn ipv6(bytes: &[u8]) -> Result<IpAddr, String> {
    let octets: [u8; 16] = bytes.try_into().map_err(|_| "its ip6 has not 16 bytes")?;
    Ok(Ipv6Addr::from(octets).into())
}

fn number(bytes: &[u8]) -> Result<u64, String> {
    if bytes.len() > 8 || bytes.first() == Some(&0) {
        return Err("a number in it is malformed".into());
    }
    Ok(bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

fn port(bytes: &[u8]) -> Result<u16, String> {
    match u16::try_from(number(bytes)?) {
        Ok(0) | Err(_) => Err("its port is none".into()),
        Ok(port) => Ok(port),
    }
}

/// Recursive length prefixes, of items of less than 64 KiB.
mod rlp {
    /// (payload, whether it is a list, rest)
    fn split(input: &[u8]) -> Result<(&[u8], bool, &[u8]), String> {
        let cut = || String::from("it is cut off");
        let (&tag, after) = input.split_first().ok_or_else(cut)?;
        let is_list = tag >= 0xc0;
        let (length, after) = match tag {
            0..=0x7f => return input.split_at_checked(1).map(|(item, rest)| (item, false, rest)).ok_or_else(cut),
            0x80..=0xb7 => (usize::from(tag - 0x80), after),
            0xc0..=0xf7 => (usize::from(tag - 0xc0), after),
            0xb8..=0xbf | 0xf8..=0xff => {
                let bytes = usize::from(if is_list { tag - 0xf7 } else { tag - 0xb7 });
                if bytes > 2 {
                    return Err("an item in it is too long".into());
                }
                let (length, after) = after.split_at_checked(bytes).ok_or_else(cut)?;
                let length = length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
                if length < 56 {
                    return Err("a length in it is not the shortest".into());
                }
                (length, after)
            }
        };
        let (payload, rest) = after.split_at_checked(length).ok_or_else(cut)?;
        Ok((payload, is_list, rest))
    }

    /// (payload, rest) of any item
    pub fn item(input: &[u8]) -> Result<(&[u8], &[u8]), String> {
        split(input).map(|(payload, _, rest)| (payload, rest))
    }

    /// (payload, rest)
    pub fn bytes(input: &[u8]) -> Result<(&[u8], &[u8]), String> {
        match split(input)? {
            (payload, false, rest) => Ok((payload, rest)),
            _ => Err("a list stands where bytes belong".into()),
        }
    }

    /// (payload, rest)
    pub fn list(input: &[u8]) -> Result<(&[u8], &[u8]), String> {
        match split(input)? {
            (payload, true, rest) => Ok((payload, rest)),
            _ => Err("bytes stand where a list belongs".into()),
        }
    }

    fn prefixed(short: u8, payload: &[u8]) -> Vec<u8> {
        let length = payload.len();
        let mut out = match length {
            0..=55 => vec![short + length as u8],
            56..=255 => vec![short + 56, length as u8],
            _ => vec![short + 57, (length >> 8) as u8, length as u8],
        };
        out.extend(payload);
        out
    }

    pub fn as_bytes(payload: &[u8]) -> Vec<u8> {
        match payload {
            [byte @ 0..=0x7f] => vec![*byte],
            _ => prefixed(0x80, payload),
        }
    }

    pub fn as_list(content: &[u8]) -> Vec<u8> {
        prefixed(0xc0, content)
    }

    pub fn as_number(number: u64) -> Vec<u8> {
        let bytes: Vec<u8> = number.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
        as_bytes(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_can_be_read() {
        let key = identity::Keypair::generate_secp256k1();
        for address in ["10.0.0.7:9000", "[2001:db8::1]:65535"] {
            let made = Enr::make(&key, address.parse().unwrap(), 300).unwrap();
            assert_eq!(Enr::parse(&made.to_string()).unwrap(), made);
            assert_eq!(made.peer_id, key.public().to_peer_id());
        }
    }

    #[test]
    fn any_changed_byte_is_noticed() {
        let key = identity::Keypair::generate_secp256k1();
        let text = Enr::make(&key, "10.0.0.7:9000".parse().unwrap(), 1).unwrap().to_string();
        let record = BASE64URL_NOPAD.decode(text.strip_prefix("enr:").unwrap().as_bytes()).unwrap();
        for i in 0..record.len() {
            let mut changed = record.clone();
            changed[i] ^= 1;
            assert!(Enr::parse(&format!("enr:{}", BASE64URL_NOPAD.encode(&changed))).is_err(), "byte {i}");
            assert!(Enr::parse(&format!("enr:{}", BASE64URL_NOPAD.encode(&record[..i]))).is_err(), "cut at {i}");
        }
    }
}
