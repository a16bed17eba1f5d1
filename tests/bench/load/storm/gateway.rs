//! What does one gateway do, from one millisecond to the next?

use std::{net::SocketAddr, sync::Arc, time::Duration};

use pointsman::domain::time::Chance;
use tokio::time::{Instant, sleep_until};

use super::{
    super::{asks::Asks, case::Call, reply, said::Failure},
    Load, Phase, Tally,
    frames::{self, Heard},
    retries::Retries,
    wire::Wire,
};

/// For how long the answer to an attempt is of use.
pub(super) const DEADLINE: Duration = Duration::from_millis(250);
/// Attempts at one pick.
const ATTEMPTS: u8 = 3;
/// Pause before the second attempt, doubled before the third; chance makes it half to one and a half times as long.
const PAUSE: Duration = Duration::from_millis(50);
/// How often it looks what is due.
const TICK: Duration = Duration::from_millis(1);
/// Length of a gRPC message's prefix.
const PREFIX: usize = 5;

/// One client of the service.
pub(super) struct Gateway {
    address: SocketAddr,
    asks: Arc<Asks>,
    chance: Chance,
    wire: Wire,
    retries: Retries,
    started: Instant,
    tally: Tally,
}

/// A pick, and which attempt at it this is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pick {
    pub(super) number: u64,
    begun: Instant,
    attempt: u8,
}

impl Gateway {
    pub(super) async fn connect(
        address: SocketAddr,
        number: usize,
        asks: Arc<Asks>,
    ) -> Result<Self, Failure> {
        let chance = Chance::with_seed(number as u64);
        let (wire, retries) = (Wire::connect(address).await?, Retries::default());
        Ok(Self { address, asks, chance, wire, retries, started: Instant::now(), tally: Tally::default() })
    }

    /// Asks, phase by phase, then waits until each pick has come to its end.
    pub(super) async fn run(mut self, started: Instant, phases: Vec<Phase>) -> Result<Tally, String> {
        self.started = started;
        let mut end = started;
        for (load, length) in phases {
            (self.asked(end, load, length).await).map_err(|error| error.to_string())?;
            end += length;
        }
        // The last attempt at the last pick, and the pauses before it.
        let rest = DEADLINE * ATTEMPTS.into() + PAUSE * 6;
        self.asked(end, Load::Rate(0.0), rest).await.map_err(|error| error.to_string())?;
        Ok(self.tally)
    }

    async fn asked(&mut self, from: Instant, load: Load, length: Duration) -> Result<(), Failure> {
        let mut begun = 0.0;
        let mut tick = from + TICK.mul_f64(self.chance.f64());
        loop {
            let is_tick = tokio::select! {
                biased;
                () = sleep_until(tick) => true,
                readable = self.wire.socket.readable() => readable.map(|()| false)?,
            };
            let now = Instant::now();
            if now >= from + length {
                return Ok(());
            }
            if !self.listen(now) {
                self.reconnect(now).await?;
            }
            if is_tick {
                tick = now + TICK;
                self.expire(now);
                self.retry(now);
            }
            match load {
                Load::Rate(rate) if is_tick => {
                    let due = now.saturating_duration_since(from).as_secs_f64() * rate;
                    while begun < due {
                        begun += 1.0;
                        self.begin(now);
                    }
                }
                Load::InFlight(count) => {
                    while self.wire.open < count.min(self.wire.streams_max) {
                        self.begin(now);
                    }
                }
                Load::Rate(_) => {}
            }
            self.wire.flush();
        }
    }

    fn begin(&mut self, now: Instant) {
        self.tally.at(now - self.started).begun += 1;
        let number = self.asks.number();
        self.send(Pick { number, begun: now, attempt: 1 }, now);
    }

    fn send(&mut self, pick: Pick, now: Instant) {
        let moment = self.tally.at(now - self.started);
        let message = self.wire.has_place().then(|| self.asks.at(pick.number));
        if let Some(message) = message.filter(|message| self.wire.room >= message.len()) {
            moment.sent += 1;
            self.wire.send(pick, now, &message, self.address);
        } else {
            moment.held += 1;
            self.fail(pick, now);
        }
    }

    /// Tries again later, or gives up.
    fn fail(&mut self, pick: Pick, now: Instant) {
        if pick.attempt == ATTEMPTS {
            return self.tally.done(pick.begun - self.started, None);
        }
        let pause = PAUSE * u32::from(pick.attempt);
        let pause = pause.mul_f64(0.5 + self.chance.f64());
        self.retries.add(now - self.started + pause, Pick { attempt: pick.attempt + 1, ..pick });
    }

    fn retry(&mut self, now: Instant) {
        while let Some(due) = self.retries.due(now - self.started) {
            for pick in due {
                self.send(pick, now);
            }
        }
    }

    /// Resets what nobody waits for any more. Attempts were sent in the order in which their times pass.
    fn expire(&mut self, now: Instant) {
        while let Some(front) = self.wire.flights.front_mut() {
            if front.as_ref().is_some_and(|flight| flight.until > now) {
                return;
            }
            if let Some(flight) = front.take() {
                frames::reset(&mut self.wire.out, self.wire.first);
                self.wire.open -= 1;
                self.tally.at(now - self.started).late += 1;
                self.fail(flight.pick, now);
            }
            self.wire.flights.pop_front();
            self.wire.first += 2;
        }
    }

    /// Takes in what has come; `false` where the connection has ended.
    fn listen(&mut self, now: Instant) -> bool {
        let is_open = self.wire.receive();
        while let Some(heard) = frames::heard(&mut self.wire.inbox) {
            match heard {
                Heard::Message(stream, message) => {
                    let is_routed = reply::check(message.freeze().split_off(PREFIX), Call::Unary).is_ok();
                    if let Some(flight) = self.wire.flight(stream).and_then(Option::as_mut) {
                        flight.is_routed = is_routed;
                    }
                }
                Heard::End(stream) => self.end(stream, now),
                Heard::StreamsMax(most) => {
                    self.wire.streams_max = most as usize;
                    self.wire.out.extend(frames::acknowledgement());
                }
                Heard::Room(more) => self.wire.room += more as usize,
                Heard::Reply(reply) => self.wire.out.extend(reply),
                Heard::Away => return false,
            }
        }
        is_open
    }

    fn end(&mut self, stream: u32, now: Instant) {
        let Some(flight) = self.wire.flight(stream).and_then(Option::take) else { return };
        self.wire.open -= 1;
        let begun = flight.pick.begun;
        if flight.is_routed && now <= flight.until {
            self.tally.done(begun - self.started, Some(now - begun));
        } else {
            self.tally.at(now - self.started).refused += 1;
            self.fail(flight.pick, now);
        }
    }

    async fn reconnect(&mut self, now: Instant) -> Result<(), Failure> {
        let fresh = Wire::connect(self.address).await?;
        let moment = self.tally.at(now - self.started);
        moment.ended += 1;
        let lost = std::mem::replace(&mut self.wire, fresh);
        for flight in lost.flights.into_iter().flatten() {
            self.tally.at(now - self.started).refused += 1;
            self.fail(flight.pick, now);
        }
        Ok(())
    }
}
