//! QUIC connections and streams, and the negotiation of a stream's protocol.

use std::{
    net::{IpAddr, SocketAddr, UdpSocket},
    sync::Arc,
    time::Duration,
};

use libp2p::identity::Keypair;
use quinn::{
    ClientConfig, Connection, Endpoint, EndpointConfig, RecvStream, SendStream, TokioRuntime, TransportConfig, VarInt,
    crypto::rustls::QuicClientConfig,
};

use super::Result;

const MULTISTREAM: &str = "/multistream/1.0.0";

/// A client with one address and one identity.
pub struct Dialer {
    key: Keypair,
    endpoint: Endpoint,
    config: ClientConfig,
}

impl Dialer {
    /// Makes a client with a new identity.
    pub fn new(from: IpAddr) -> Result<Self> {
        Self::with_window(from, 1 << 20)
    }

    /// The same with this window: the bytes that the other side may send on a stream that is not read.
    pub fn with_window(from: IpAddr, window: u32) -> Result<Self> {
        let socket = UdpSocket::bind((from, 0))?;
        let endpoint = Endpoint::new(EndpointConfig::default(), None, socket, Arc::new(TokioRuntime))?;
        let key = Keypair::generate_secp256k1();
        let tls = libp2p_tls::make_client_config(&key, None)?;
        let mut config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls)?));
        let mut transport = TransportConfig::default();
        transport.max_concurrent_uni_streams(0u32.into());
        transport.max_concurrent_bidi_streams(1024u32.into());
        transport.keep_alive_interval(Some(Duration::from_secs(3)));
        transport.send_window(64 << 20);
        transport.stream_receive_window(window.into());
        config.transport_config(Arc::new(transport));
        Ok(Self { key, endpoint, config })
    }

    /// Its identity, as in identify.
    pub fn public_key(&self) -> Vec<u8> {
        self.key.public().encode_protobuf()
    }

    /// Dials and completes the handshake.
    pub async fn dial(&self, to: SocketAddr) -> Result<Connection> {
        Ok(self.endpoint.connect_with(self.config.clone(), to, "l")?.await?)
    }

    /// Returns the first packets of `count` handshakes.
    pub async fn first_packets(&self, count: usize) -> Result<Vec<Vec<u8>>> {
        let sink = tokio::net::UdpSocket::bind("127.0.0.1:0").await?;
        let (mut packets, mut begun) = (vec![], vec![]);
        let mut seen = std::collections::HashSet::new();
        while packets.len() < count {
            begun.push(self.endpoint.connect_with(self.config.clone(), sink.local_addr()?, "l")?);
            let mut packet = [0; 2048];
            while let Ok(size) = tokio::time::timeout(Duration::from_millis(1), sink.recv(&mut packet)).await {
                // A long header of type Initial. Version and length of the destination id follow.
                let Some((head, _)) = packet[..size?].split_at_checked(6 + usize::from(packet[5])) else { continue };
                if head[0] & 0xf0 == 0xc0 && seen.insert(head.to_vec()) {
                    packets.push(packet[..1200].to_vec());
                }
            }
        }
        Ok(packets)
    }
}

/// A line of multistream.
pub fn line(protocol: &str) -> Vec<u8> {
    let mut line = varint(protocol.len() as u64 + 1);
    line.extend(protocol.as_bytes());
    line.push(b'\n');
    line
}

/// A varint, as in protobuf.
pub fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = vec![];
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// Opens a stream with this protocol. An error means that the other side does not support it.
pub async fn open(connection: &Connection, protocol: &str) -> Result<(SendStream, RecvStream)> {
    let (mut send, mut recv) = connection.open_bi().await?;
    send.write_all(&[line(MULTISTREAM), line(protocol)].concat()).await?;
    for expected in [MULTISTREAM, protocol] {
        let heard = read_line(&mut recv).await?;
        if heard != expected {
            return Err(format!("{heard} instead of {expected}").into());
        }
    }
    Ok((send, recv))
}

/// Negotiates the protocol of a stream that the other side has opened.
pub async fn negotiate(send: &mut SendStream, recv: &mut RecvStream, speaks: impl Fn(&str) -> bool) -> Result<String> {
    send.write_all(&line(MULTISTREAM)).await?;
    if read_line(recv).await? != MULTISTREAM {
        return Err("it does not negotiate".into());
    }
    loop {
        let wanted = read_line(recv).await?;
        if speaks(&wanted) {
            send.write_all(&line(&wanted)).await?;
            return Ok(wanted);
        }
        send.write_all(&line("na")).await?;
    }
}

async fn read_line(recv: &mut RecvStream) -> Result<String> {
    let mut line = vec![0; read_varint(recv).await? as usize % 1024];
    recv.read_exact(&mut line).await?;
    Ok(String::from_utf8(line)?.trim_end().to_owned())
}

/// A varint, as in protobuf.
pub async fn read_varint(recv: &mut RecvStream) -> Result<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let mut byte = [0];
        recv.read_exact(&mut byte).await?;
        value |= u64::from(byte[0] & 0x7f) << shift;
        if byte[0] < 0x80 {
            return Ok(value);
        }
    }
    Err("the length is malformed".into())
}

/// Resets a stream in both directions.
pub fn reset(send: &mut SendStream, recv: &mut RecvStream) {
    // An error means that the other side has reset it already.
    let _ = send.reset(VarInt::from_u32(1));
    let _ = recv.stop(VarInt::from_u32(1));
}
