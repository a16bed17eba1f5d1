//! How do the model server's messages come in?
//!
//! A task of its own reads them, so that none is lost while a report is made. What finds no room is dropped, and shows as a
//! gap in the sequence.
//!
//! A connection that ends is an engine that is gone: what it held is lost. The socket would connect again by itself, but
//! waits up to half a minute between two tries, and what a new engine stores first is what most prompts begin with. So it
//! is closed, and opened anew each second.

use std::time::Duration;

use futures_util::StreamExt;
use tokio::{sync::mpsc, task::AbortHandle, time::sleep};
use tracing::{info, warn};
use zeromq::{Socket, SocketEvent, SocketOptions, SocketRecv, SubSocket, ZmqResult};

use super::decode::{Batch, NoBatch, decode};
use crate::config::{CacheEvents, EventSocket};

/// Messages that wait to be taken in: those of some minutes.
const WAITING_MAX: usize = 4096;
/// Longest try to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Pause before the socket is opened again.
const PAUSE: Duration = Duration::from_secs(1);

/// What the listener hears.
#[derive(Debug)]
pub(super) enum Heard {
    /// A message.
    Batch(Batch),
    /// The connection ended.
    Lost,
}

/// Reads while it lives.
#[derive(Debug)]
pub(super) struct Listener(AbortHandle);

impl Listener {
    /// Begins to read.
    #[expect(clippy::disallowed_methods, reason = "it ends with the listener")]
    pub(super) fn start(config: &CacheEvents) -> (Self, mpsc::Receiver<Heard>) {
        let (heard, receiver) = mpsc::channel(WAITING_MAX);
        let task = tokio::spawn(listen(config.clone(), heard));
        (Self(task.abort_handle()), receiver)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn listen(config: CacheEvents, heard: mpsc::Sender<Heard>) {
    let mut complaint = None;
    loop {
        match open(&config).await {
            Ok(mut socket) => {
                info!(socket = ?config.socket, "listening to the events of the cache");
                read(&mut socket, &heard, &mut complaint).await;
                info!(socket = ?config.socket, "the model server's events broke off");
            }
            Err(error) => {
                warn!(%error, socket = ?config.socket, "cannot listen to the events of the cache: trying again");
            }
        }
        sleep(PAUSE).await;
    }
}

async fn open(config: &CacheEvents) -> ZmqResult<SubSocket> {
    let mut options = SocketOptions::default();
    options.connect_timeout(CONNECT_TIMEOUT);
    let mut socket = SubSocket::with_options(options);
    match &config.socket {
        EventSocket::Connect(endpoint) => socket.connect(endpoint).await?,
        EventSocket::Bind(endpoint) => drop(socket.bind(endpoint).await?),
    }
    socket.subscribe(&config.topic).await?;
    Ok(socket)
}

/// Reads until the connection ends. What cannot be read is complained of once.
async fn read(socket: &mut SubSocket, heard: &mpsc::Sender<Heard>, complaint: &mut Option<NoBatch>) {
    let mut connection = socket.monitor();
    loop {
        let message = tokio::select! {
            // What came before the end of the connection counts.
            biased;
            message = socket.recv() => message,
            event = connection.next() => match event {
                Some(SocketEvent::Disconnected(_)) | None => break,
                Some(_) => continue,
            },
        };
        let Ok(message) = message else { break };
        match decode(&message.into_vec()) {
            Ok(batch) => {
                // If that finds no room, the gap will tell.
                let _ = heard.try_send(Heard::Batch(batch));
            }
            Err(error) if complaint.as_ref() != Some(&error) => {
                warn!(%error, "a message of the cache cannot be read: passed over, and so are others like it");
                *complaint = Some(error);
            }
            Err(_) => {}
        }
    }
    // Waits for room: a new engine's numbers might happen to go on where the old one's ended.
    let _ = heard.send(Heard::Lost).await;
}
