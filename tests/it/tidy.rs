//! The rules of the house, as a test: who may use whom, how long things may be, which names are not used.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Which modules each module may use. What stands nowhere here is not a module.
const LAYERS: [(&str, &[&str]); 15] = [
    ("proto", &[]),
    ("domain", &[]),
    ("wire", &["domain", "proto"]),
    ("learn", &["domain"]),
    ("state", &["domain", "learn"]),
    ("route", &["domain", "learn", "state"]),
    ("sim", &["domain", "learn", "state", "route"]),
    ("config", &["domain"]),
    ("telemetry", &["config", "domain"]),
    ("api", &["config", "domain", "proto", "route", "state", "wire"]),
    ("agent", &["config", "domain", "proto", "wire"]),
    ("app", &["api", "config", "domain", "state", "telemetry"]),
    ("demo", &["agent", "app", "config", "domain", "proto", "wire"]),
    ("cli", &["agent", "api", "app", "config", "demo", "domain", "proto", "sim", "telemetry", "wire"]),
    ("main", &["cli"]),
];

/// Modules that decide, and what must never reach them: I/O, tasks, wire formats, clocks and chance of their own.
const PURE: [&str; 4] = ["domain", "learn", "state", "route"];
const IMPURE: [&str; 9] = [
    "tonic",
    "prost",
    "tokio",
    "tracing",
    "serde",
    "reqwest",
    "std::time::Instant",
    "SystemTime",
    "fastrand::u",
];

/// Names that say nothing.
const FORBIDDEN: [&str; 10] =
    ["manager", "helper", "util", "utils", "common", "misc", "info", "data", "types", "mod"];

const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 60;

#[test]
fn modules_use_only_the_layers_below() {
    let layers: BTreeMap<_, _> = LAYERS.into_iter().collect();
    let mut broken = Vec::new();
    for (path, text) in sources() {
        let module = module_of(&path);
        if module == "lib" {
            continue;
        }
        let allowed = layers.get(module.as_str()).unwrap_or_else(|| panic!("{module} is in no layer"));
        for used in crate_uses(&text) {
            if used != module && !allowed.contains(&used.as_str()) {
                broken.push(format!("{} uses {used}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn the_core_is_pure() {
    for (path, text) in sources() {
        if !PURE.contains(&module_of(&path).as_str()) || path.ends_with("tests.rs") {
            continue;
        }
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        for line in code {
            let found = IMPURE.iter().find(|word| line.contains(*word));
            assert!(found.is_none(), "{} has {found:?}: {line}", path.display());
            assert!(!line.contains(".await"), "{} waits: {line}", path.display());
        }
    }
}

#[test]
fn files_and_functions_are_short() {
    let mut long = Vec::new();
    for (path, text) in sources() {
        let lines = text.lines().count();
        if lines > FILE_LINES_MAX && !path.ends_with("tests.rs") {
            long.push(format!("{} has {lines} lines", path.display()));
        }
        for (name, lines) in functions(&text) {
            if lines > FUNCTION_LINES_MAX {
                long.push(format!("{}: {name} has {lines} lines", path.display()));
            }
        }
    }
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn names_say_what_is_inside() {
    for (path, text) in sources() {
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        assert!(!FORBIDDEN.contains(&stem), "{} says nothing", path.display());
        let documented = path.ends_with("tests.rs") || text.starts_with("//!") || stem == "lib";
        assert!(documented, "{} does not open with what it is for", path.display());
        let marker = ["TO", "DO"].concat();
        assert!(!text.contains(&marker), "{} has something left to do", path.display());
    }
}

/// The pipeline must be readable at one glance.
#[test]
fn the_pipeline_is_one_screen() {
    let text = fs::read_to_string(root().join("src/route.rs")).expect("it exists");
    let body = functions(&text).into_iter().find(|(name, _)| name == "decide").expect("it decides");
    assert!(body.1 <= 20, "decide has {} lines", body.1);
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below `src/`, by its path from the root.
fn sources() -> Vec<(PathBuf, String)> {
    let mut folders = vec![root().join("src")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of ours").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a file of ours");
                files.push((path.strip_prefix(root()).expect("below the root").to_owned(), text));
            }
        }
    }
    assert!(files.len() > 20, "the sources are found");
    files
}

/// `src/state/nodes.rs` belongs to `state`.
fn module_of(path: &Path) -> String {
    let second = path.components().nth(1).expect("below src").as_os_str().to_string_lossy().into_owned();
    second.trim_end_matches(".rs").to_owned()
}

/// The modules of ours that a file names, one by one or in a list behind `crate::`.
fn crate_uses(text: &str) -> Vec<String> {
    let mut used = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(list) => used.extend(heads(list)),
            None => used.extend(word(rest)),
        }
    }
    used
}

/// The first words of the items of a braced list, which may hold lists itself.
fn heads(list: &str) -> Vec<String> {
    let mut depth = 0;
    let mut heads = Vec::new();
    let mut expects = true;
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => expects = true,
            c if expects && depth == 0 && !c.is_whitespace() => {
                heads.extend(word(&list[at..]));
                expects = false;
            }
            _ => {}
        }
    }
    heads
}

fn word(text: &str) -> Option<String> {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let word = &text[..end];
    // `crate::Name` is an item of the crate itself.
    word.starts_with(char::is_lowercase).then(|| word.to_owned())
}

/// Functions and their lengths, by indentation.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<_> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let code = line.trim_start().trim_start_matches("pub ").trim_start_matches("pub(crate) ");
        let code = code.trim_start_matches("const ").trim_start_matches("async ");
        let Some(rest) = code.strip_prefix("fn ") else { continue };
        let closing = format!("{}}}", " ".repeat(indent));
        let length = lines[start..].iter().position(|line| **line == closing).map_or(1, |end| end + 1);
        found.push((word(rest).unwrap_or_default(), length));
    }
    found
}
