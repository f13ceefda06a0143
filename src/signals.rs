//! SIGINT and SIGTERM: the first asks the run to stop, a second one ends the process at once.

use std::io::{IsTerminal as _, Write as _};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// Listens on a thread of its own for as long as the process lives; `stop` turns true at the first
/// signal.
pub(crate) fn listen(stop: watch::Sender<bool>) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    let (mut interrupt, mut terminate) = {
        let _entered = runtime.enter();
        (
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
        )
    };
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                next(&mut interrupt, &mut terminate).await;
                stop.send_replace(true);
                next(&mut interrupt, &mut terminate).await;
            });
            end_at_once();
        })?;
    Ok(())
}

async fn next(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

#[expect(
    clippy::exit,
    clippy::disallowed_methods,
    reason = "whoever signals twice does not want to wait; everything on disk survives a kill"
)]
fn end_at_once() -> ! {
    // The shell's prompt gets a line of its own, not the end of a bar.
    if std::io::stderr().is_terminal() {
        drop(std::io::stderr().write_all(b"\n"));
    }
    std::process::exit(superoffice_export::error::Exit::Interrupted.code().into())
}
