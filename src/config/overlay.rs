//! What do the environment and the flags say on top of the file?
//!
//! `POINTSMAN_POLICY__LOAD__CPU` is `policy.load.cpu`: two underscores descend, since one is part of many keys.

use std::net::SocketAddr;

use serde_json::Value;

use super::{
    error::{Place, Problem},
    key::{Key, Step},
    nearest::closest,
    schema::Schema,
    tree::{self, Tree},
};

/// How the variables begin that are ours.
const PREFIX: &str = "POINTSMAN_";
/// Variables that the command line reads.
const COMMAND_LINE: [&str; 2] = ["POINTSMAN_SERVER", "POINTSMAN_CONFIG"];

/// Lays the environment over the tree.
pub(super) fn env(tree: &mut Tree, schema: &Schema, env: &[(String, String)]) -> Vec<Problem> {
    let ours = |(name, value): &&(String, String)| {
        name.starts_with(PREFIX)
            && !COMMAND_LINE.contains(&name.as_str())
            && !is_kubernetes_service(name, value)
    };
    let mut variables: Vec<_> = env.iter().filter(ours).collect();
    // A section comes before the keys in it, so that these win.
    variables.sort();
    variables.iter().filter_map(|(name, value)| variable(tree, schema, name, value).err()).collect()
}

fn variable(tree: &mut Tree, schema: &Schema, name: &str, text: &str) -> Result<(), Problem> {
    let parts = name[PREFIX.len()..].split("__");
    let key: Key = parts.map(|part| Step::Name(part.to_lowercase())).collect();
    let place = Place::Env(name.to_owned());
    let problem = |key: &Key, what: &str, hint: String| Problem {
        place: Place::Env(name.to_owned()),
        key: key.clone(),
        what: what.to_owned(),
        hint,
    };
    if !schema.knows(&key) {
        let known: Vec<String> = schema.all().iter().map(variable_of).collect();
        // Without the prefix, which would make everything alike.
        let bare = known.iter().map(|known| &known[PREFIX.len()..]);
        let hint = match closest(&name[PREFIX.len()..], bare) {
            Some(near) => format!("did you mean `{PREFIX}{near}`? Two underscores descend"),
            None => "two underscores descend: `POINTSMAN_POLICY__BALANCE` is `policy.balance`".to_owned(),
        };
        return Err(problem(&Key::default(), "is no key of the configuration", hint));
    }
    let value = if schema.is_text(&key) { Some(Value::from(text)) } else { tree::scalar(text) };
    let value = value.filter(|value| !value.is_null());
    let value = value.ok_or_else(|| problem(&key, "has no readable value", schema.hint(&key)))?;
    tree.set(&key, value, place).map_err(|in_the_way| {
        problem(&key, &format!("cannot be set inside `{in_the_way}`"), schema.hint(&in_the_way))
    })
}

/// Lays `--listen` over the tree.
pub(super) fn listen(tree: &mut Tree, address: SocketAddr) -> Option<Problem> {
    let key = Key::parse("server.listen");
    let place = Place::Flag("--listen");
    let in_the_way = tree.set(&key, address.to_string().into(), place.clone()).err()?;
    let what = format!("cannot be set inside `{in_the_way}`");
    Some(Problem { place, key, what, hint: format!("make `{in_the_way}` a mapping") })
}

fn variable_of(key: &Key) -> String {
    let name = |step: &Step| match step {
        Step::Name(name) => name.to_uppercase(),
        Step::Index(index) => index.to_string(),
    };
    format!("{PREFIX}{}", key.steps().iter().map(name).collect::<Vec<_>>().join("__"))
}

/// Kubernetes tells every pod of the services around it, in variables that begin with the service's name: a service
/// called `pointsman` must not keep Pointsman from starting.
fn is_kubernetes_service(name: &str, value: &str) -> bool {
    let link = ["tcp://", "udp://", "sctp://"].iter().any(|scheme| value.starts_with(scheme));
    let described = ["_TCP", "_UDP", "_SCTP"].iter().any(|proto| name.contains(proto));
    !name.contains("__")
        && (name.ends_with("_SERVICE_HOST")
            || name.contains("_SERVICE_PORT")
            || name.ends_with("_PORT") && link
            || name.contains("_PORT_") && described)
}
