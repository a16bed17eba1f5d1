//! Where do the bytes of a flag come from: a file, or standard input (`-`)?

use std::{
    convert::Infallible,
    fmt,
    fs::File,
    io::{self, Read},
    path::PathBuf,
    str::FromStr,
};

use super::fault::Fault;

/// A file, or standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `-`.
    Stdin,
    /// Anything else.
    File(PathBuf),
}

impl FromStr for Source {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(if text == "-" { Self::Stdin } else { Self::File(text.into()) })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => f.write_str("standard input"),
            Self::File(path) => write!(f, "`{}`", path.display()),
        }
    }
}

impl Source {
    /// All bytes of it; more than `bytes_max` are refused. `flag` is the one that names it.
    ///
    /// Blocks: a command reads before it begins to wait for anything else.
    pub fn read(&self, flag: &str, bytes_max: usize) -> Result<Vec<u8>, Fault> {
        let read = match self {
            Self::Stdin => read_bounded(io::stdin().lock(), bytes_max),
            Self::File(path) => File::open(path).and_then(|file| read_bounded(file, bytes_max)),
        };
        let bytes = read.map_err(|error| {
            let hint = format!("`{flag}` takes the path of a file, or `-` for standard input");
            Fault::new(format!("cannot read {self}")).because(error).hint(hint)
        })?;
        let fits = bytes.len() <= bytes_max;
        fits.then_some(bytes).ok_or_else(|| too_long(self, flag, bytes_max))
    }
}

/// One byte more than fits tells that it does not; the rest is not read, however long it is.
fn read_bounded(reader: impl Read, bytes_max: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(bytes_max as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn too_long(source: &Source, flag: &str, bytes_max: usize) -> Fault {
    let kibibytes = bytes_max / 1024;
    Fault::new(format!("{source} holds more than {kibibytes} KiB, the most that `{flag}` may send"))
}

#[cfg(test)]
mod tests;
