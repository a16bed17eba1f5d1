//! What does the operator read when the configuration is wrong?
//!
//! Every problem says where it stands, which key it is about, what is wrong and what to do. All problems that can be
//! found at once are told at once, in the order of the file.

use std::{fmt, io, path::PathBuf};

use thiserror::Error;

use super::key::Key;

/// Why there is no configuration. Its text is complete and for people; it may have several lines.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read `{}`: {cause}\nhint: check the path and the permissions, or start without `--config`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said; part of the text, so not a source.
        cause: io::Error,
    },
    /// The file is too large to be a configuration.
    #[error("`{}` is larger than {max} bytes\nhint: check the path; a configuration is a short text", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The largest that is read, in bytes.
        max: u64,
    },
    /// What is written is wrong.
    #[error("{}", lines(.0))]
    Wrong(Vec<Problem>),
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it is written.
    pub place: Place,
    /// Which key it is about; the top if it is about the whole.
    pub key: Key,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub hint: String,
}

/// Where something is written. In the order in which problems are told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In the file; line and column count from 1, and are 0 where they are not known.
    File {
        /// Line.
        line: u64,
        /// Column, in characters.
        column: u64,
        /// The file.
        path: PathBuf,
    },
    /// In an environment variable of this name.
    Env(String),
    /// On the command line, by this flag.
    Flag(&'static str),
    /// Nowhere: it is missing, and no file was given.
    Nowhere,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { line: 0, path, .. } => write!(f, "{}", path.display()),
            Self::File { line, column, path } => write!(f, "{}:{line}:{column}", path.display()),
            Self::Env(name) => write!(f, "environment variable `{name}`"),
            Self::Flag(name) => write!(f, "flag `{name}`"),
            Self::Nowhere => f.write_str("configuration"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.key.steps().is_empty() {
            write!(f, "`{}`: ", self.key)?;
        }
        write!(f, "{}\nhint: {}", self.what, self.hint)
    }
}

fn lines(problems: &[Problem]) -> String {
    let mut ordered: Vec<&Problem> = problems.iter().collect();
    ordered.sort_by_key(|problem| &problem.place);
    ordered.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
