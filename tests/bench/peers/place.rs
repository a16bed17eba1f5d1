//! Where is a peer kept, and what did it say when it failed?
//!
//! All below the target directory: a folder for each, and a log beside it of what was said while it was fetched and ran.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::Duration,
};

use super::{clock::now, said::Failure};

/// Most that one step of fetching may take.
const STEP_TIME_MAX: Duration = Duration::from_mins(15);
/// Time between two looks whether it has ended.
const PAUSE: Duration = Duration::from_millis(100);

/// The place of a peer.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) folder: PathBuf,
    log: PathBuf,
}

impl Place {
    /// The place of the peer of this name, with an empty log.
    pub(super) fn of(name: &str) -> Result<Self, Failure> {
        let peers = Path::new(env!("CARGO_TARGET_TMPDIR")).join("peers");
        fs::create_dir_all(&peers)?;
        let place = Self { folder: peers.join(name), log: peers.join(format!("{name}.log")) };
        File::create(&place.log)?;
        Ok(place)
    }

    /// Does a step of fetching to its end.
    pub(super) fn step(&self, command: &mut Command) -> Result<(), Failure> {
        let mut step = self.spawn(command.stdin(Stdio::null()).stdout(self.log()?))?;
        let program = Path::new(command.get_program()).display();
        match ended(&mut step)? {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(format!("{program} ended with {status}").into()),
            None => Err(format!("{program} took more than {} min", STEP_TIME_MAX.as_secs() / 60).into()),
        }
    }

    /// Starts a process that complains to the log.
    pub(super) fn spawn(&self, command: &mut Command) -> Result<Child, Failure> {
        let spawned = command.stderr(self.log()?).spawn();
        let program = Path::new(command.get_program()).display();
        spawned.map_err(|error| format!("{program} does not start: {error}").into())
    }

    /// What went wrong, with the last line of the log.
    pub(super) fn reason(&self, error: Failure) -> Failure {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        match log.lines().rfind(|line| !line.trim().is_empty()) {
            Some(last) => format!("{error}: {} ({})", last.trim(), self.log.display()).into(),
            None => error,
        }
    }

    fn log(&self) -> Result<File, Failure> {
        Ok(File::options().append(true).open(&self.log)?)
    }
}

/// Waits until it has ended; ends it where that takes too long.
#[expect(clippy::disallowed_methods, reason = "nothing else runs meanwhile")]
fn ended(step: &mut Child) -> Result<Option<ExitStatus>, Failure> {
    let until = now() + STEP_TIME_MAX;
    while now() < until {
        if let Some(status) = step.try_wait()? {
            return Ok(Some(status));
        }
        thread::sleep(PAUSE);
    }
    step.kill()?;
    step.wait()?;
    Ok(None)
}
