//! How is a server measured apart from those who load it? In a process of its own: the benchmark starts itself again.
//!
//! The child says its address, then answers each empty line once it has cleaned up, and ends with its standard input.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    process::{ChildStdout, Command, Stdio},
};

use super::said::{Failure, say};

/// The argument that makes the benchmark a server; the server's role follows it.
const SERVE: &str = "--serve";

/// A server in a process of its own.
pub(crate) struct Child {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Its process, as `/proc` names it.
    pub(crate) id: String,
    process: std::process::Child,
    says: BufReader<ChildStdout>,
}

/// The role in which this process was started; `None` where it is the benchmark itself.
pub(crate) fn role() -> Option<String> {
    env::args().skip_while(|argument| argument != SERVE).nth(1)
}

/// The child's side: says where it listens, and cleans up whenever it is asked, until nobody will ask any more.
pub(crate) async fn obey(address: SocketAddr, mut clean: impl FnMut()) -> Result<(), Failure> {
    say(&address.to_string());
    let line = || std::io::stdin().lines().next();
    while let Some(asked) = tokio::task::spawn_blocking(line).await? {
        asked?;
        clean();
        say("clean");
    }
    Ok(())
}

impl Child {
    /// Starts a server with these variables in its environment, and waits until it listens.
    pub(crate) fn start(role: &str, variables: &[(&str, &str)]) -> Result<Self, Failure> {
        let mut command = Command::new(env::current_exe()?);
        command.args([SERVE, role]).envs(variables.iter().copied());
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut says = BufReader::new(process.stdout.take().ok_or("the child has an output")?);
        let address = heard(&mut says)?.parse()?;
        Ok(Self { address, id: process.id().to_string(), process, says })
    }

    /// Lets it clean up; done when this returns.
    pub(crate) fn clean(&mut self) -> Result<(), Failure> {
        self.process.stdin.as_mut().ok_or("the child has an input")?.write_all(b"\n")?;
        heard(&mut self.says).map(drop)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn heard(says: &mut BufReader<ChildStdout>) -> Result<String, Failure> {
    let mut line = String::new();
    says.read_line(&mut line)?;
    if line.is_empty() {
        return Err("the server has ended".into());
    }
    Ok(line.trim().to_owned())
}
