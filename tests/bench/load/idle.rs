//! What do connections cost that say nothing?

use std::{net::SocketAddr, time::Duration};

use tokio::{
    net::TcpStream,
    task::JoinSet,
    time::{Instant, sleep},
};

use super::{Bar, Figure, block_on, child::Child, cpu, resident, said::Failure, server::EMPTY};

const CONNECTIONS: usize = 9_900;
/// Longer than it takes until each was asked whether it is there.
const WATCHED: Duration = Duration::from_secs(20);
const MIB: f64 = 1024.0 * 1024.0;

/// Memory and processor time of the service with almost ten thousand idle connections: as many as a process may have open here
/// that has the usual files besides.
pub(crate) fn row() -> Result<Vec<Figure>, Failure> {
    let service = Child::start(EMPTY, &[])?;
    block_on(async {
        let mut open = JoinSet::new();
        for _ in 0..CONNECTIONS {
            connect(service.address, &mut open).await?;
        }
        sleep(Duration::from_secs(2)).await;
        let (started, before) = (Instant::now(), cpu::of(&service.id)?);
        sleep(WATCHED).await;
        let used = (cpu::of(&service.id)? - before) as f64 / started.elapsed().as_nanos() as f64;
        if open.try_join_next().is_some() {
            return Err("the service has closed a connection".into());
        }
        let memory = resident::of(&service.id)? as f64 / MIB;
        let detail = |what: &str| format!("{what}, {CONNECTIONS} connections, pinged each 10 s");
        Ok(vec![
            Figure {
                name: "idle.resident_mib",
                figure: memory,
                bar: Bar::AtMost(200.0),
                detail: detail("in all"),
            },
            Figure {
                name: "idle.cpu_percent",
                figure: 100.0 * used,
                bar: Bar::AtMost(5.0),
                detail: detail("of a core"),
            },
        ])
    })
}

/// Opens one, which lives as long as its task.
async fn connect(address: SocketAddr, open: &mut JoinSet<()>) -> Result<(), Failure> {
    let stream = TcpStream::connect(address).await?;
    let (send, connection) = h2::client::handshake(stream).await?;
    open.spawn(async move {
        drop(connection.await);
        drop(send);
    });
    Ok(())
}
