//! What does one read whose trace is not accepted?

use std::{io, path::PathBuf};

use thiserror::Error;

/// Why there is no trace. Nothing of what was read before is kept.
#[derive(Debug, Error)]
pub enum TraceError {
    /// The file cannot be opened.
    #[error("cannot open the trace `{}`", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The file cannot be read to its end.
    #[error("cannot read the trace `{name}` beyond line {line}: is it whole, and plain text or gzip?")]
    Read {
        /// Name of the trace.
        name: String,
        /// The last line that was read, from 1; 0 if none was.
        line: usize,
        /// What the system or the decoder said.
        #[source]
        cause: io::Error,
    },
    /// It is none of the formats.
    #[error(
        "cannot tell the format of the trace `{name}`: its first line is `{read}`, expected `#lrt1 …` (ours), \
         a JSON object (Mooncake) or `TIMESTAMP,ContextTokens,GeneratedTokens` (Azure)"
    )]
    Unknown {
        /// Name of the trace.
        name: String,
        /// How the first line begins.
        read: String,
    },
    /// A line says something that cannot be.
    #[error("trace `{name}`, line {line}, {field}: read `{read}`, expected {expected}")]
    Line {
        /// Name of the trace.
        name: String,
        /// The line, from 1.
        line: usize,
        /// The column or field, by its name in the format.
        field: String,
        /// What it says, shortened.
        read: String,
        /// What it should say.
        expected: String,
    },
    /// There is a header at most.
    #[error("the trace `{name}` has no rows")]
    Empty {
        /// Name of the trace.
        name: String,
    },
}
