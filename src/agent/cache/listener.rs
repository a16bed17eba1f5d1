//! How do the model server's messages come in?
//!
//! A task of its own reads them, so that none is lost while a report is made. The socket connects again by itself. What
//! finds no room is dropped, and shows as a gap in the sequence.

use std::time::Duration;

use tokio::{sync::mpsc, task::AbortHandle, time::sleep};
use tracing::{debug, info, warn};
use zeromq::{Socket, SocketRecv, SubSocket, ZmqResult};

use super::decode::{Batch, NoBatch, decode};
use crate::config::{CacheEvents, EventSocket};

/// Messages that wait to be taken in: those of some minutes.
const WAITING_MAX: usize = 4096;
/// Pause before the socket is opened again.
const PAUSE: Duration = Duration::from_secs(1);

/// Reads while it lives.
#[derive(Debug)]
pub(super) struct Listener(AbortHandle);

impl Listener {
    /// Begins to read.
    #[expect(clippy::disallowed_methods, reason = "it ends with the listener")]
    pub(super) fn start(config: &CacheEvents) -> (Self, mpsc::Receiver<Batch>) {
        let (batches, receiver) = mpsc::channel(WAITING_MAX);
        let task = tokio::spawn(listen(config.clone(), batches));
        (Self(task.abort_handle()), receiver)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn listen(config: CacheEvents, batches: mpsc::Sender<Batch>) {
    let mut complaint = None;
    loop {
        match open(&config).await {
            Ok(mut socket) => {
                info!(socket = ?config.socket, "listening to the events of the cache");
                read(&mut socket, &batches, &mut complaint).await;
            }
            Err(error) => {
                warn!(%error, socket = ?config.socket, "cannot listen to the events of the cache: trying again");
            }
        }
        sleep(PAUSE).await;
    }
}

async fn open(config: &CacheEvents) -> ZmqResult<SubSocket> {
    let mut socket = SubSocket::new();
    match &config.socket {
        EventSocket::Connect(endpoint) => socket.connect(endpoint).await?,
        EventSocket::Bind(endpoint) => drop(socket.bind(endpoint).await?),
    }
    socket.subscribe(&config.topic).await?;
    Ok(socket)
}

/// Reads until the socket is of no more use. What cannot be read is complained of once.
async fn read(socket: &mut SubSocket, batches: &mpsc::Sender<Batch>, complaint: &mut Option<NoBatch>) {
    loop {
        let message = match socket.recv().await {
            Ok(message) => message,
            // It connects again by itself.
            Err(error) => {
                debug!(%error, "the model server's events broke off");
                sleep(PAUSE).await;
                continue;
            }
        };
        match decode(&message.into_vec()) {
            Ok(batch) => {
                // If that finds no room, the gap will tell.
                let _ = batches.try_send(batch);
            }
            Err(error) if complaint.as_ref() != Some(&error) => {
                warn!(%error, "a message of the cache cannot be read: passed over, and so are others like it");
                *complaint = Some(error);
            }
            Err(_) => {}
        }
    }
}
