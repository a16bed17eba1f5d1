//! `pointsman decide`: decides for a simulator of somebody else's, line by line, under its clock.

use std::{
    io::{self, BufRead, Write},
    path::PathBuf,
};

use clap::{Args, ValueEnum};

use super::{Ending, fault::Fault, output::Output};
use crate::{
    config::{Sources, nearest::word_hint},
    domain::policy::{Balance, Policy, Refusal},
    sim::protocol::Protocol,
};

/// As much of a line is read as shows that it is too long.
const LINE_BYTES_READ: u64 = Protocol::LINE_BYTES_MAX as u64 + 1;

/// Flags of `decide`.
#[derive(Debug, Args)]
pub struct Decide {
    /// Read requests from standard input and write decisions to standard output, one JSON object a line.
    #[arg(long, required = true)]
    stdio: bool,
    /// How nodes are compared, instead of what the configuration says.
    #[arg(long, value_name = "NAME", value_parser = balance)]
    policy: Option<Balance>,
    /// Whether requests that cannot be in time are refused.
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = RefuseLate::Late)]
    refuse: RefuseLate,
    /// Configuration file; its `policy` decides.
    #[arg(long, value_name = "FILE", env = "POINTSMAN_CONFIG")]
    config: Option<PathBuf>,
}

/// When requests are refused.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum RefuseLate {
    /// Never.
    Never,
    /// When no node is expected to serve them in time, on a busy fleet.
    Late,
}

impl Decide {
    /// Answers line after line until the input ends.
    pub fn run(self, _output: &Output) -> Result<Ending, Fault> {
        let sources = Sources { file: self.config.clone(), env: std::env::vars().collect(), listen: None };
        let config = sources.load().map_err(|error| Fault::new(error.to_string()))?;
        let protocol = Protocol::new(self.policy(config.policy));
        let talked = talk(protocol, &mut io::stdin().lock(), &mut io::stdout().lock());
        talked.map_err(|error| {
            Fault::new("cannot go on talking over standard input and output").because(error)
        })?;
        Ok(Ending::Done)
    }

    fn policy(&self, mut policy: Policy) -> Policy {
        policy.balance = self.policy.unwrap_or(policy.balance);
        policy.cost.refuse_late = match self.refuse {
            RefuseLate::Never => Refusal::Never,
            RefuseLate::Late => Refusal::Late,
        };
        policy
    }
}

/// Answers each line before the next is read. Lines that are empty are passed over, those that are too long are refused.
fn talk(mut protocol: Protocol, input: &mut impl BufRead, output: &mut impl Write) -> io::Result<()> {
    let mut line = Vec::new();
    while take_line(input, &mut line)? {
        let text = String::from_utf8_lossy(&line);
        if text.trim().is_empty() {
            continue;
        }
        let reply = protocol.answer(text.trim());
        writeln!(output, "{reply}")?;
        output.flush()?;
    }
    Ok(())
}

/// Reads a line, of which it keeps no more than [`LINE_BYTES_READ`]; says whether there was one.
fn take_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let read = io::Read::take(&mut *input, LINE_BYTES_READ).read_until(b'\n', line)?;
    if read as u64 == LINE_BYTES_READ && line.last() != Some(&b'\n') {
        input.skip_until(b'\n')?;
    }
    Ok(read > 0)
}

fn balance(name: &str) -> Result<Balance, String> {
    let known = Balance::NAMES.iter().find(|(_, known)| *known == name).map(|(balance, _)| *balance);
    known.ok_or_else(|| word_hint(name, &Balance::NAMES.map(|(_, known)| known)))
}

#[cfg(test)]
mod tests;
