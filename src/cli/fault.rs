//! What went wrong, as the operator reads it: what was tried, why it failed, what to do.

use std::{error::Error, fmt, iter};

use tonic::{Code, Status};
use tonic_types::StatusExt;

/// Parts an error from what it advises, where both are in one line, as in a log.
const HINT: &str = "; hint: ";

/// An error of a command.
#[derive(Debug)]
pub struct Fault {
    what: String,
    causes: Vec<String>,
    hint: Option<String>,
}

impl Fault {
    /// What was tried and failed.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), causes: Vec::new(), hint: None }
    }

    /// Why, down to the root. What a cause advises (`…; hint: …`) becomes the hint.
    #[must_use]
    pub fn because(mut self, cause: impl Error) -> Self {
        self.add_cause(&cause.to_string());
        for deeper in iter::successors(cause.source(), |&cause| cause.source()) {
            self.add_cause(&deeper.to_string());
        }
        self.causes.dedup();
        self
    }

    fn add_cause(&mut self, told: &str) {
        let (cause, hint) = told.split_once(HINT).map_or((told, None), |(cause, hint)| (cause, Some(hint)));
        self.causes.push(cause.to_owned());
        // The deepest knows best what to do.
        self.hint = hint.map(str::to_owned).or(self.hint.take());
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A reply that was an error. Each malformed field is named.
    pub fn status(status: &Status) -> Self {
        let details = status.get_error_details();
        let violations = details.bad_request().map(|bad| bad.field_violations.clone()).unwrap_or_default();
        let causes =
            violations.iter().map(|v| format!("`{}` {}", v.field, v.description)).collect::<Vec<_>>();
        if !causes.is_empty() {
            let what = "the service refused the request as malformed".to_owned();
            return Self { what, causes, hint: Some("mend the fields named above".into()) };
        }
        let message =
            if status.message().is_empty() { status.code().description() } else { status.message() };
        let fault = Self::new(message);
        match status.code() {
            Code::Unavailable => fault.hint("is the service up? start it with `pointsman serve`"),
            Code::Cancelled | Code::DeadlineExceeded => {
                fault.hint("the service does not answer: look at its logs")
            }
            Code::Unimplemented => {
                fault.hint("the service is older than this command: use the same version of both")
            }
            Code::NotFound => fault.hint("`pointsman nodes list` shows what is there"),
            _ => fault,
        }
    }
}

impl From<Status> for Fault {
    fn from(status: Status) -> Self {
        Self::status(&status)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.what)?;
        for cause in &self.causes {
            write!(f, "\n  {cause}")?;
        }
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}
