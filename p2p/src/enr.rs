//! Ethereum node records (EIP-778) with the identity scheme v4: the key, the address and the ports of a peer.

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

/// The largest record in bytes.
const MAX_RECORD: usize = 300;

/// A record with a valid signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enr {
    /// Increases with every change of the record.
    pub sequence: u64,
    /// The identity of the node.
    pub peer_id: PeerId,
    /// The address of the node.
    pub ip: IpAddr,
    /// The ports on which the node listens.
    pub ports: Ports,
    text: String,
}

/// The ports of a node, by protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ports {
    /// QUIC. Peers prefer it to TCP.
    pub quic: Option<u16>,
    /// TCP.
    pub tcp: Option<u16>,
    /// Discovery (discv5).
    pub udp: Option<u16>,
}

impl Enr {
    /// Parses `enr:...`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let encoded = text.strip_prefix("enr:").ok_or("it does not begin with enr:")?;
        if encoded.len() > MAX_RECORD * 4 / 3 + 3 {
            return Err(format!("it has more than {MAX_RECORD} bytes"));
        }
        let record = BASE64URL_NOPAD.decode(encoded.as_bytes()).map_err(|_| "it is not base64url")?;
        if record.len() > MAX_RECORD {
            return Err(format!("it has more than {MAX_RECORD} bytes"));
        }
        let (content, rest) = rlp::list(&record)?;
        if !rest.is_empty() {
            return Err("extra bytes follow the record".into());
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
        let (ip, suffix) = match (field("ip"), field("ip6")) {
            (Ok(ip), _) => (ipv4(ip)?, ""),
            (_, Ok(ip)) => (ipv6(ip)?, "6"),
            (Err(error), _) => return Err(error),
        };
        // Some records with an IPv6 address use the port names of IPv4.
        let port_of = |name: &str| field(&format!("{name}{suffix}")).or(field(name)).ok().map(port);
        let ports = Ports {
            quic: port_of("quic").transpose()?,
            tcp: port_of("tcp").and_then(Result::ok),
            udp: port_of("udp").and_then(Result::ok),
        };
        if ports.quic.or(ports.tcp).is_none() {
            return Err("it has neither quic nor tcp".into());
        }
        Ok(Self {
            sequence: number(sequence)?,
            peer_id: PeerId::from_public_key(&identity::PublicKey::from(key)),
            ip,
            ports,
            text: text.into(),
        })
    }

    /// Names must be in ascending order, so that each occurs once.
    fn fields(mut rest: &[u8]) -> Result<BTreeMap<&[u8], &[u8]>, String> {
        let mut fields = BTreeMap::new();
        while !rest.is_empty() {
            let (name, after) = rlp::bytes(rest)?;
            // Values of unknown fields may be lists.
            let (value, after) = rlp::item(after)?;
            if fields.last_key_value().is_some_and(|(last, _)| *last >= name) {
                return Err("its fields are not in order".into());
            }
            fields.insert(name, value);
            rest = after;
        }
        Ok(fields)
    }

    /// Makes the record of a node with this key.
    pub fn make(key: &identity::Keypair, ip: IpAddr, ports: Ports, sequence: u64) -> Result<Self, String> {
        let pair = key.clone().try_into_secp256k1().map_err(|_| "the node key is not of secp256k1")?;
        let (address, suffix) = match ip {
            IpAddr::V4(ip) => (ip.octets().to_vec(), ""),
            IpAddr::V6(ip) => (ip.octets().to_vec(), "6"),
        };
        let port = |name: &str, port: Option<u16>| Some((format!("{name}{suffix}"), rlp::as_number(port?.into())));
        // Fields must be in the order of their names.
        let fields = [
            Some(("id".into(), rlp::as_bytes(b"v4"))),
            Some((format!("ip{suffix}"), rlp::as_bytes(&address))),
            port("quic", ports.quic),
            Some(("secp256k1".into(), rlp::as_bytes(&pair.public().to_bytes()))),
            port("tcp", ports.tcp),
            port("udp", ports.udp),
        ];
        let mut signed = rlp::as_number(sequence);
        for (name, value) in fields.into_iter().flatten() {
            signed.extend(rlp::as_bytes(name.as_bytes()));
            signed.extend(value);
        }
        let signature: Signature = SigningKey::from_slice(&pair.secret().to_bytes())
            .and_then(|key| key.sign_prehash(&Keccak256::digest(rlp::as_list(&signed))))
            .map_err(|_| "cannot sign with the node key")?;
        let mut content = rlp::as_bytes(&signature.normalize_s().to_bytes());
        content.extend(signed);
        let text = format!("enr:{}", BASE64URL_NOPAD.encode(&rlp::as_list(&content)));
        Ok(Self { sequence, peer_id: key.public().to_peer_id(), ip, ports, text })
    }

    /// The address to dial, without the peer id.
    pub fn multiaddr(&self) -> Multiaddr {
        match (self.ports.quic, self.ports.tcp) {
            (Some(quic), _) => quic_address((self.ip, quic).into()),
            (None, tcp) => tcp_address((self.ip, tcp.unwrap_or_default()).into()),
        }
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

/// `/ip4/127.0.0.1/tcp/9000`
pub fn tcp_address(address: SocketAddr) -> Multiaddr {
    Multiaddr::from(address.ip()).with(Protocol::Tcp(address.port()))
}

/// The IP address in a multiaddr.
pub fn ip_of(address: &Multiaddr) -> Option<IpAddr> {
    address.iter().find_map(|part| match part {
        Protocol::Ip4(ip) => Some(ip.into()),
        // An IPv4 address that is written as IPv6 is the same host.
        Protocol::Ip6(ip) => Some(ip.to_canonical()),
        _ => None,
    })
}

fn ipv4(bytes: &[u8]) -> Result<IpAddr, String> {
    let octets: [u8; 4] = bytes.try_into().map_err(|_| "its ip does not have 4 bytes")?;
    Ok(Ipv4Addr::from(octets).into())
}

fn ipv6(bytes: &[u8]) -> Result<IpAddr, String> {
    let octets: [u8; 16] = bytes.try_into().map_err(|_| "its ip6 does not have 16 bytes")?;
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
        Ok(0) | Err(_) => Err("its port is 0 or too large".into()),
        Ok(port) => Ok(port),
    }
}

/// Recursive length prefix (RLP) encoding of items of less than 64 KiB.
mod rlp {
    /// (payload, whether it is a list, rest)
    fn split(input: &[u8]) -> Result<(&[u8], bool, &[u8]), String> {
        let cut = || String::from("it is truncated");
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
            _ => Err("an item is a list instead of bytes".into()),
        }
    }

    /// (payload, rest)
    pub fn list(input: &[u8]) -> Result<(&[u8], &[u8]), String> {
        match split(input)? {
            (payload, true, rest) => Ok((payload, rest)),
            _ => Err("an item is bytes instead of a list".into()),
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
        let (quic, tcp, udp) = (Some(9000), Some(65535), Some(1));
        for ip in ["10.0.0.7", "2001:db8::1"] {
            for ports in
                [Ports { quic, ..Ports::default() }, Ports { tcp, ..Ports::default() }, Ports { quic, tcp, udp }]
            {
                let made = Enr::make(&key, ip.parse().unwrap(), ports, 300).unwrap();
                assert_eq!(Enr::parse(&made.to_string()).unwrap(), made);
                assert_eq!(made.peer_id, key.public().to_peer_id());
            }
            let only_found = Enr::make(&key, ip.parse().unwrap(), Ports { udp, ..Ports::default() }, 1).unwrap();
            assert_eq!(Enr::parse(&only_found.to_string()).unwrap_err(), "it has neither quic nor tcp");
        }
    }

    #[test]
    fn the_longest_record_fits_into_the_log() {
        assert_eq!("enr:".len() + (MAX_RECORD * 4).div_ceil(3), crate::text::MAX_LOG_TEXT);
    }

    #[test]
    fn quic_is_dialled_before_tcp() {
        let key = identity::Keypair::generate_secp256k1();
        let address = |quic| {
            let ports = Ports { quic, tcp: Some(2), udp: Some(3) };
            Enr::make(&key, [10, 0, 0, 7].into(), ports, 1).unwrap().multiaddr().to_string()
        };
        assert_eq!(
            (address(Some(1)), address(None)),
            ("/ip4/10.0.0.7/udp/1/quic-v1".into(), "/ip4/10.0.0.7/tcp/2".into())
        );
    }

    #[test]
    fn any_changed_byte_is_noticed() {
        let key = identity::Keypair::generate_secp256k1();
        let text = Enr::make(&key, [10, 0, 0, 7].into(), Ports { quic: Some(9000), ..Ports::default() }, 1);
        let text = text.unwrap().to_string();
        let record = BASE64URL_NOPAD.decode(text.strip_prefix("enr:").unwrap().as_bytes()).unwrap();
        for i in 0..record.len() {
            let mut changed = record.clone();
            changed[i] ^= 1;
            assert!(Enr::parse(&format!("enr:{}", BASE64URL_NOPAD.encode(&changed))).is_err(), "byte {i}");
            assert!(Enr::parse(&format!("enr:{}", BASE64URL_NOPAD.encode(&record[..i]))).is_err(), "cut at {i}");
        }
    }
}
