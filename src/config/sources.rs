//! Where does the configuration come from, and what wins?
//!
//! Flags win over the environment, the environment over the file, the file over the defaults.

use std::{
    fs::File,
    io::Read,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use super::{Config, ConfigError, check, overlay, read, schema::Schema, tree::Tree};

/// Largest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Where the configuration comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sources {
    /// The file; `None` for the defaults.
    pub file: Option<PathBuf>,
    /// The environment, all of it: variables that are not ours are passed over.
    pub env: Vec<(String, String)>,
    /// The address of `--listen`.
    pub listen: Option<SocketAddr>,
}

impl Sources {
    /// Reads and checks everything; to reload, call it again.
    pub fn load(&self) -> Result<Config, ConfigError> {
        let tree = match &self.file {
            Some(path) => {
                Tree::parse(path, &text(path)?).map_err(|problem| ConfigError::Wrong(vec![problem]))?
            }
            None => Tree::default(),
        };
        self.over(tree)
    }

    /// Checks what the file says under the environment and the flags.
    fn over(&self, mut tree: Tree) -> Result<Config, ConfigError> {
        let schema = Schema::of_file();
        let mut problems = overlay::env(&mut tree, &schema, &self.env);
        problems.extend(self.listen.and_then(|address| overlay::listen(&mut tree, address)));
        let (raw, wrong) = read::raw(&mut tree, &schema);
        problems.extend(wrong);
        match raw {
            Some(raw) if problems.is_empty() => {
                check::config(&raw, &tree, &schema).map_err(ConfigError::Wrong)
            }
            _ => Err(ConfigError::Wrong(problems)),
        }
    }
}

fn text(path: &Path) -> Result<String, ConfigError> {
    let failed = |cause| ConfigError::Read { path: path.to_owned(), cause };
    let mut text = String::new();
    // Not by the size in the file's metadata: it may grow, or be a pipe.
    let file = File::open(path).map_err(failed)?;
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(ConfigError::TooLarge { path: path.to_owned(), max: FILE_BYTES_MAX });
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
