//! What is there to see after the run?

use std::fmt::Write;

use super::{fleet::Fleet, node::server};

/// The addresses of a fleet and what to try on them.
pub(super) fn guide(fleet: &Fleet) -> String {
    let service = fleet.service();
    let mut guide =
        format!("Pointsman's fleet stays up until Ctrl-C. The service listens on {service}, its nodes:\n");
    for (id, address) in fleet.addresses() {
        // Writing to a string cannot fail.
        let _ = writeln!(guide, "  {id:<12} http://{address}");
    }
    let _ = write!(
        guide,
        "\nTry in another terminal (`cargo run --release --` in place of `pointsman` works too):\n\
         \x20 pointsman nodes list --server {service}\n\
         \x20 pointsman explain --server {service} --type text --model chat-8b --tier premium\n\
         \x20 pointsman pick --server {service} --type image --model draw-xl\n"
    );
    if let Some((_, address)) = fleet.addresses().next() {
        let _ = write!(
            guide,
            "\x20 curl -N http://{address}{} -H 'content-type: application/json' \\\n\
             \x20   -d '{{\"model\": \"chat-8b\", \"stream\": true, \"messages\": [{{\"role\": \"user\", \"content\": \"Hello\"}}]}}'\n\
             \x20 curl http://{address}/metrics",
            server::CHAT
        );
    }
    guide
}
