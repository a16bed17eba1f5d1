//! How much does the server keep for a connection that is open and says nothing?

use std::{net::SocketAddr, sync::Arc, time::Duration};

use pointsman::{
    app,
    config::{Config, ServerConfig},
};
use tokio::{net::TcpStream, runtime::Builder, task::JoinSet, time::sleep};

use super::{
    child::{Child, obey},
    grow::Figure,
    resident,
    said::Failure,
};

/// Fits into the usual limit of descriptors where that is low.
const CONNECTIONS: usize = 900;
/// By so many the first figure is taken: what a server needs once is there by then.
const FIRST: usize = 100;
/// Most bytes of one; ten thousand in 200 MiB.
const CONNECTION_MAX: usize = (200 << 20) / 10_000;
/// Connections are greeted within this, by a server that has nothing else to do.
const SETTLED: Duration = Duration::from_millis(500);

/// The child's side: the service without nodes.
pub(crate) fn serve() -> Result<(), Failure> {
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let server =
            ServerConfig { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..ServerConfig::default() };
        let running = app::start(Config { server, ..Config::default() }).await?;
        let desk = Arc::clone(running.desk());
        obey(running.address(), || drop(desk.sweep())).await
    })
}

/// Idle HTTP/2 connections.
pub(crate) fn connections() -> Result<Figure, Failure> {
    let mut child = Child::start("idle", &[])?;
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut open = JoinSet::new();
        connect(child.address, FIRST, &mut open).await?;
        child.clean()?;
        let before = resident::of(&child.id)?;
        connect(child.address, CONNECTIONS - FIRST, &mut open).await?;
        child.clean()?;
        let total = resident::of(&child.id)?.saturating_sub(before);
        assert_eq!(open.len(), CONNECTIONS);
        assert!(open.try_join_next().is_none(), "the server closes none");
        Ok(Figure::of("connection", CONNECTION_MAX, CONNECTIONS - FIRST, total))
    })
}

/// Opens so many; each lives as long as its task.
async fn connect(address: SocketAddr, count: usize, open: &mut JoinSet<()>) -> Result<(), Failure> {
    for _ in 0..count {
        let stream = TcpStream::connect(address).await?;
        let (send, connection) = h2::client::handshake(stream).await?;
        open.spawn(async move {
            drop(connection.await);
            drop(send);
        });
    }
    sleep(SETTLED).await;
    Ok(())
}
