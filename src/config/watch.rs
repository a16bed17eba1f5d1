//! Has the configuration file changed?
//!
//! The folder is watched, not the file: editors and Kubernetes put a new file in the old one's place, by a rename or
//! by a symbolic link further up, and a watch on the file would stay with the old one. Events that come in a burst
//! count as one change. The folder's other files are none of our business: a log that we write beside the file would
//! else wake us with each line that says so.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

/// How long it must be quiet after an event: an editor writes in several steps.
const QUIET: Duration = Duration::from_millis(100);
/// The link that Kubernetes turns round to change all files of a mounted folder at once.
const KUBERNETES_LINK: &str = "..data";

/// Tells when a file changes; stops when dropped.
#[derive(Debug)]
pub struct Watch {
    events: watch::Receiver<u64>,
    /// When the change that is under way counts as done; `None` while nothing happens.
    quiet_at: Option<Instant>,
    _watcher: RecommendedWatcher,
}

/// Watches a file. Changes from here on are told.
pub fn watch(path: &Path) -> Result<Watch, notify::Error> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let (told, events) = watch::channel(0);
    let names = [path.file_name().unwrap_or_default().to_owned(), KUBERNETES_LINK.into()];
    let tell = move |event: notify::Result<Event>| {
        // An error may hide a change, so it counts as one.
        if event.is_ok_and(|event| is_idle(&event, &names)) {
            return;
        }
        told.send_modify(|count| *count += 1);
    };
    let mut watcher = notify::recommended_watcher(tell)?;
    watcher.watch(&folder, RecursiveMode::NonRecursive)?;
    Ok(Watch { events, quiet_at: None, _watcher: watcher })
}

/// Whether an event changes nothing for us. Our own reading of the file is one of those; one without a path says
/// that events were lost, and is not.
fn is_idle(event: &Event, names: &[OsString]) -> bool {
    let is_ours = |path: &PathBuf| path.file_name().is_some_and(|name| names.iter().any(|ours| ours == name));
    matches!(event.kind, EventKind::Access(_)) || !(event.paths.is_empty() || event.paths.iter().any(is_ours))
}

impl Watch {
    /// Waits for the next change in the file's folder. Dropping the future loses no change.
    pub async fn changed(&mut self) {
        loop {
            match self.quiet_at {
                Some(at) => tokio::select! {
                    () = sleep_until(at) => {
                        self.quiet_at = None;
                        return;
                    }
                    () = event(&mut self.events) => {}
                },
                None => event(&mut self.events).await,
            }
            self.quiet_at = Some(Instant::now() + QUIET);
        }
    }
}

async fn event(events: &mut watch::Receiver<u64>) {
    if events.changed().await.is_err() {
        // The watcher is gone: nothing will ever be told.
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests;
