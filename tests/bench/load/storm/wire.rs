//! What is under way on a gateway's connection?

use std::{collections::VecDeque, io, net::SocketAddr};

use prost::bytes::BytesMut;
use tokio::{net::TcpStream, time::Instant};

use super::{
    super::said::Failure,
    frames,
    gateway::{DEADLINE, Pick},
};

/// Bytes that may be under way before the service has said how many.
const ROOM: usize = 65_535;

/// An attempt that was sent.
pub(super) struct Flight {
    pub(super) pick: Pick,
    pub(super) until: Instant,
    pub(super) is_routed: bool,
}

/// A connection, and what is under way on it.
pub(super) struct Wire {
    pub(super) socket: TcpStream,
    pub(super) out: Vec<u8>,
    pub(super) inbox: BytesMut,
    /// By half of the stream's number, from `first` on; those that have ended are `None`.
    pub(super) flights: VecDeque<Option<Flight>>,
    pub(super) first: u32,
    pub(super) open: usize,
    pub(super) streams_max: usize,
    pub(super) room: usize,
}

impl Wire {
    pub(super) async fn connect(address: SocketAddr) -> Result<Self, Failure> {
        let socket = TcpStream::connect(address).await?;
        socket.set_nodelay(true)?;
        Ok(Self {
            socket,
            out: frames::hello(),
            inbox: BytesMut::new(),
            flights: VecDeque::new(),
            first: 1,
            open: 0,
            streams_max: 1,
            room: ROOM,
        })
    }

    pub(super) fn has_place(&self) -> bool {
        self.open < self.streams_max
    }

    pub(super) fn send(&mut self, pick: Pick, now: Instant, message: &[u8], authority: SocketAddr) {
        let stream = self.first + 2 * u32::try_from(self.flights.len()).unwrap_or_default();
        let authority = (stream == 1).then(|| authority.to_string());
        frames::ask(&mut self.out, stream, DEADLINE.as_millis(), message, authority.as_deref());
        self.flights.push_back(Some(Flight { pick, until: now + DEADLINE, is_routed: false }));
        self.open += 1;
        self.room -= message.len();
    }

    pub(super) fn flight(&mut self, stream: u32) -> Option<&mut Option<Flight>> {
        self.flights.get_mut((stream.checked_sub(self.first)? / 2) as usize)
    }

    /// Reads what is there; `false` at the end.
    pub(super) fn receive(&mut self) -> bool {
        loop {
            self.inbox.reserve(1 << 16);
            match self.socket.try_read_buf(&mut self.inbox) {
                Ok(0) => return false,
                Ok(_) => {}
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
            }
        }
    }

    /// Writes as much as the service takes now. How the connection ended shows when it is read.
    pub(super) fn flush(&mut self) {
        while !self.out.is_empty() {
            match self.socket.try_write(&self.out) {
                Ok(written) => drop(self.out.drain(..written)),
                Err(_later) => return,
            }
        }
    }
}
