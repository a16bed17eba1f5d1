use std::{fs, path::Path, time::Duration};

use tokio::time::timeout;

use super::{Watch, watch};

/// Long enough for a busy machine; a test that passes does not wait for it.
const PATIENCE: Duration = Duration::from_secs(20);

async fn told(watch: &mut Watch) {
    timeout(PATIENCE, watch.changed()).await.expect("the change is told");
}

fn replace(path: &Path, text: &str) {
    let new = path.with_extension("new");
    fs::write(&new, text).expect("the folder takes files");
    fs::rename(&new, path).expect("both are in one folder");
}

#[tokio::test]
async fn a_file_replaced_by_a_rename_is_told_each_time() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("pointsman.yaml");
    fs::write(&path, "{}").expect("the folder takes files");
    let mut watch = watch(&path).expect("the folder can be watched");
    for text in ["policy: {}", "nodes: []"] {
        replace(&path, text);
        told(&mut watch).await;
        assert_eq!(fs::read_to_string(&path).expect("the file is there"), text);
    }
}

#[tokio::test]
#[cfg(unix)]
async fn a_swapped_symbolic_link_is_told_as_kubernetes_swaps_it() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| folder.path().join(name);
    for (name, text) in [("1", "policy: {}"), ("2", "nodes: []")] {
        fs::create_dir(at(name)).expect("a new folder");
        fs::write(at(name).join("pointsman.yaml"), text).expect("a new file");
    }
    symlink("1", at("..data")).expect("a new link");
    symlink("..data/pointsman.yaml", at("pointsman.yaml")).expect("a new link");
    let mut watch = watch(&at("pointsman.yaml")).expect("the folder can be watched");
    symlink("2", at("..data_tmp")).expect("a new link");
    fs::rename(at("..data_tmp"), at("..data")).expect("both are in one folder");
    told(&mut watch).await;
    assert_eq!(fs::read_to_string(at("pointsman.yaml")).expect("the file is there"), "nodes: []");
}

#[tokio::test]
async fn a_wait_that_was_dropped_loses_no_change() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("pointsman.yaml");
    let mut watch = watch(&path).expect("the folder can be watched");
    replace(&path, "{}");
    // Dropped again and again, each time in the midst of the quiet period.
    let dropping = async { while timeout(Duration::from_millis(7), watch.changed()).await.is_err() {} };
    timeout(PATIENCE, dropping).await.expect("the change is told");
}

#[tokio::test]
async fn reading_the_file_is_no_change() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("pointsman.yaml");
    fs::write(&path, "{}").expect("the folder takes files");
    let mut watch = watch(&path).expect("the folder can be watched");
    fs::read_to_string(&path).expect("the file is there");
    let waited = timeout(Duration::from_millis(300), watch.changed()).await;
    assert!(waited.is_err(), "nothing was written");
}
