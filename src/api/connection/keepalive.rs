//! Is the client still there?

use std::time::Duration;

use h2::{Ping, PingPong};
use tokio::time::{Instant, sleep_until, timeout};

use super::hold::Hold;

/// Pings whoever was silent for `interval`; ends when a ping was not answered within `patience`.
pub(super) async fn lost(mut pings: PingPong, hold: Hold, interval: Duration, patience: Duration) {
    loop {
        let quiet_at = hold.heard_at() + interval;
        if Instant::now() < quiet_at {
            sleep_until(quiet_at).await;
            continue;
        }
        let Ok(Ok(_pong)) = timeout(patience, pings.ping(Ping::opaque())).await else { return };
    }
}
