//! `run`: the machines and the pages, until they are stopped or nothing moves.

use std::fs::File;
use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use case::State;
use store::Counts;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{info, warn};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use work::{Loaded, Machines, now, system};

use super::Answer;
use super::workspace::Workspace;

pub(crate) async fn run(dir: &Path, once: bool) -> anyhow::Result<Answer> {
    log_to_stderr(LevelFilter::INFO);
    let workspace = Workspace::open(dir)?;
    let mut service = Service::start(&workspace, &workspace.settings.pages.listen).await?;
    eprintln!(
        "Countersign serves http://{} and watches {}",
        service.address,
        workspace.path(&workspace.settings.inbox.folder).display()
    );
    let mut stopped = std::pin::pin!(stop_signal());
    loop {
        tokio::select! {
            () = &mut stopped => break,
            () = tokio::time::sleep(Duration::from_millis(200)) => {}
            ended = service.ended() => return Err(ended),
        }
        if once && service.machines.settled().await? {
            break;
        }
    }
    eprintln!("Stopping: what is under way is finished first");
    let store = service.machines.store.clone();
    service.stop().await?;
    let counts = store.counts(now()).await?;
    store.close().await;
    print_summary(&counts);
    Ok(Answer::Good)
}

pub(crate) fn print_summary(counts: &Counts) {
    say!("{} files seen, {} of them duplicates", counts.arrivals, counts.duplicates);
    for state in State::ALL {
        if 0 < counts.of(state) {
            say!("{:>8}  {}", counts.of(state), state.name());
        }
    }
}

/// Machines and pages, running.
pub(crate) struct Service {
    pub(crate) machines: Machines,
    pub(crate) address: std::net::SocketAddr,
    stop: watch::Sender<bool>,
    tasks: JoinSet<anyhow::Result<()>>,
    _in_use: File,
}

impl Service {
    pub(crate) async fn start(workspace: &Workspace, listen: &str) -> anyhow::Result<Service> {
        // Before anything moves: another instance on this port, or a port that is taken, is said now.
        let listener = TcpListener::bind(listen).await.with_context(|| {
            format!(
                "the pages cannot be served on {listen}; is another instance running? change `listen` under [pages], or `--port` of `demo`"
            )
        })?;
        let address = listener.local_addr()?;
        ensure!(
            address.ip().is_loopback(),
            "`listen` under [pages] is {address}: pages without TLS are served on this machine alone; put a proxy with TLS before 127.0.0.1 and name it in `base_url`"
        );
        let in_use = workspace.in_use()?;
        let store = workspace.store().await?;
        let policies = workspace.policies();
        let Loaded { policy, waits } = policies.load(&store, &system()).await?;
        if let Some(waits) = waits {
            warn!("The policy in its folder is not in force: {waits}");
        }
        let policy = Arc::new(policy);
        let (policy_sender, policy) = watch::channel(policy);
        let (stop, stopped) = watch::channel(false);
        let anchors = workspace.anchors()?;
        let quorum = anchors.witnesses.quorum();
        let machines = Machines {
            store: store.clone(),
            policy: policy.clone(),
            reader: workspace.reader()?,
            ledger: workspace.ledger()?,
            inbox: workspace.inbox(),
            anchors,
            workers: workspace.settings.workers,
        };
        std::fs::create_dir_all(workspace.path(&workspace.settings.inbox.folder))
            .context("the inbox cannot be made")?;

        let watched = policies.watch(store.clone(), policy_sender, stopped.clone());
        let base_url = workspace
            .settings
            .pages
            .base_url
            .as_deref()
            .map(str::parse)
            .transpose()
            .context("`base_url` under [pages] is not a URL")?;
        let desk = review::Desk { store, title: workspace.settings.pages.title.clone(), base_url, quorum };
        let mut pages_stop = stopped.clone();
        let pages = async move {
            let stop = async move { drop(pages_stop.wait_for(|stop| *stop).await) };
            axum::serve(listener, review::router(desk).into_make_service_with_connect_info::<std::net::SocketAddr>())
                .with_graceful_shutdown(stop)
                .await
                .context("the pages ended")
        };
        let running = machines.clone().run(stopped);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { running.await.context("the machines ended") });
        tasks.spawn(async move {
            watched.await;
            Ok(())
        });
        tasks.spawn(pages);
        info!(%address, "Started");
        Ok(Service { machines, address, stop, tasks, _in_use: in_use })
    }

    /// Returns when a part ended though nobody asked it to: the rest must not go on as if all were well.
    pub(crate) async fn ended(&mut self) -> anyhow::Error {
        match self.tasks.join_next().await {
            Some(Ok(Err(err))) => err,
            Some(Err(err)) => anyhow::Error::from(err).context("a part of the service broke"),
            Some(Ok(Ok(()))) | None => anyhow::anyhow!("a part of the service ended by itself"),
        }
    }

    /// Lets everything finish what it is doing.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.stop.send_replace(true);
        while let Some(task) = self.tasks.join_next().await {
            task??;
        }
        Ok(())
    }
}

/// Ctrl-C, or the system asking.
pub(crate) async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => return,
                _ = tokio::signal::ctrl_c() => return,
            }
        }
    }
    drop(tokio::signal::ctrl_c().await);
}

/// Logs of operations: `COUNTERSIGN_LOG=debug` or `work=debug,store=info`; `COUNTERSIGN_LOG_FORMAT=json`.
pub(crate) fn log_to_stderr(default: LevelFilter) {
    let chosen = std::env::var("COUNTERSIGN_LOG").ok().and_then(|text| text.parse::<Targets>().ok());
    // Libraries speak only when something is wrong.
    let ours = ["countersign", "work", "store", "review"].map(|room| (room, default));
    let targets =
        chosen.unwrap_or_else(|| Targets::new().with_default(LevelFilter::WARN.min(default)).with_targets(ours));
    let registry = tracing_subscriber::registry().with(targets);
    let json = std::env::var("COUNTERSIGN_LOG_FORMAT").is_ok_and(|format| format == "json");
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    let started = if json { registry.with(layer.json()).try_init() } else { registry.with(layer).try_init() };
    // Started before in this process: that one stays.
    drop(started);
}
