//! The service as a process of its own, where its memory, its processor time and its descriptors can be told from the tests'.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
};

use parking_lot::Mutex;

/// Bytes of a page where these tests run.
const PAGE: u64 = 4096;

/// A service that ends with this value.
pub(crate) struct Process {
    child: Child,
    address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
}

impl Process {
    /// Starts a service on one thread that may have so many files open, with this section `server`, and waits until it listens.
    pub(crate) fn start(files: u32, server: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let config = directory.path().join("pointsman.yaml");
        let server = format!("server: {{listen: '127.0.0.1:0', threads: 1, {server}}}");
        fs::write(&config, server).expect("it is written");
        // The limit is the shell's, which becomes the service.
        let script = format!("ulimit -n {files} && exec \"$0\" serve --config \"$1\"");
        let mut command = Command::new("sh");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_pointsman")]).arg(&config);
        let mut child = command.stderr(Stdio::piped()).spawn().expect("it starts");
        let mut lines = BufReader::new(child.stderr.take().expect("it has a log")).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.split_once("listening address=").map(|(_, address)| address.parse()));
        let address = address.expect("it listens").expect("an address");
        let log = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&log);
        // Reads until the service ends.
        thread::spawn(move || lines.map_while(Result::ok).for_each(|line| told.lock().push(line)));
        Self { child, address, log }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lines of the log that contain the text.
    pub(crate) fn told(&self, text: &str) -> usize {
        self.log.lock().iter().filter(|line| line.contains(text)).count()
    }

    /// Resident memory, in bytes.
    pub(crate) fn resident(&self) -> u64 {
        let pages = fs::read_to_string(format!("/proc/{}/statm", self.child.id())).expect("it runs");
        let resident = pages.split(' ').nth(1).expect("the second number");
        resident.parse::<u64>().expect("a number") * PAGE
    }

    /// Whether its memory may come in huge pages, where the system tells.
    pub(crate) fn huge_pages(&self) -> Option<bool> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let told = status.lines().find_map(|line| line.strip_prefix("THP_enabled:"))?;
        Some(told.trim() == "1")
    }

    /// Processor time used so far, in hundredths of a second.
    pub(crate) fn ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("it runs");
        // The name, in parentheses, may hold blanks.
        let (_, fields) = stat.rsplit_once(") ").expect("a name");
        let mut fields = fields.split(' ').skip(11);
        let mut next = || fields.next().expect("a field").parse::<u64>().expect("a number");
        next() + next()
    }

    /// Files that it has open.
    pub(crate) fn files(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("it runs").count()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
