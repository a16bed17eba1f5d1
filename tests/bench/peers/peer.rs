//! How is a peer asked? By lines: how many nodes and decisions; it answers with the nanoseconds that they took.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, sync_channel},
    thread,
    time::Duration,
};

use super::{entrant::Decides, place::Place, said::Failure, world::RUN};

/// Most that an answer may take, with what it takes to build the fleet.
const ANSWER_TIME_MAX: Duration = Duration::from_mins(2);

/// A peer in a process of its own, which ends with this.
pub(super) struct Peer {
    place: Place,
    process: Child,
    asked: ChildStdin,
    answers: Receiver<String>,
}

impl Peer {
    /// Starts it, and asks it once: one that cannot run says so here.
    pub(super) fn start(mut command: Command, place: &Place) -> Result<Self, Failure> {
        let mut process = place.spawn(command.stdin(Stdio::piped()).stdout(Stdio::piped()))?;
        let asked = process.stdin.take().ok_or("the peer has an input")?;
        let answers = lines(process.stdout.take().ok_or("the peer has an output")?);
        let mut peer = Self { place: place.clone(), process, asked, answers };
        peer.ask(1)?;
        Ok(peer)
    }

    fn ask(&mut self, nodes: usize) -> Result<u64, Failure> {
        writeln!(self.asked, "{nodes} {RUN}").map_err(|error| format!("it takes no question: {error}"))?;
        let answer = self.answers.recv_timeout(ANSWER_TIME_MAX).map_err(|error| match error {
            RecvTimeoutError::Timeout => format!("no answer in {} s", ANSWER_TIME_MAX.as_secs()),
            RecvTimeoutError::Disconnected => "it ended without an answer".to_owned(),
        })?;
        Ok(answer.trim().parse::<u64>().map_err(|_| format!("no number of nanoseconds: {answer:?}"))? / RUN)
    }
}

impl Decides for Peer {
    fn nanos(&mut self, nodes: usize) -> Result<u64, Failure> {
        self.ask(nodes).map_err(|error| self.place.reason(error))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Its lines, read aside, so that waiting for one can have an end.
#[expect(clippy::disallowed_methods, reason = "it ends with the peer")]
fn lines(output: ChildStdout) -> Receiver<String> {
    let (told, answers) = sync_channel(1);
    let mut said = BufReader::new(output).lines().map_while(Result::ok);
    thread::spawn(move || said.try_for_each(|line| told.send(line)));
    answers
}
