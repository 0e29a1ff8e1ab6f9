//! A log in a folder of its own, which heads are shown of.
#![allow(dead_code, unreachable_pub, reason = "every test program uses its own part of this")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::time::{Duration, Instant};

use audit::VerifierKey;
use case::{Actor, ActorKind, Role, Timestamp};
use store::{Config, Keys, ServiceSign, Store};
use tempfile::TempDir;
use tokio::sync::watch;
use work::Anchors;

/// 10 March 2026, 08:00 UTC
pub const NOW: Timestamp = Timestamp(1_773_129_600_000_000);

/// A log in a folder.
pub struct Log {
    pub store: Store,
    pub config: Config,
    pub key: String,
    pub dir: TempDir,
}

impl Log {
    /// With some entries, and a head.
    pub async fn new() -> Log {
        let dir = TempDir::new().unwrap();
        let path = |name: &str| dir.path().join(name);
        let config = Config {
            database: path("data.sqlite").display().to_string(),
            vault: store::BlobPlace::Folder(path("vault")),
            keys: path("keys").into(),
            log: path("log"),
            origin: "audit.test.example/tests/1".into(),
            node: "node-1".into(),
            version: "0.1.0".into(),
        };
        Keys::create(&config.keys).unwrap();
        let store = Store::open(&config).await.unwrap();
        let mut log = Log { store, config, key: String::new(), dir };
        log.grow(3).await;
        log.key = log.store.head().await.unwrap().unwrap().verifier_key;
        log
    }

    /// Enters something `n` times, and has the head signed; gives back its size.
    pub async fn grow(&self, n: usize) -> u64 {
        for _ in 0..n {
            self.store.record_service(ServiceSign::Heartbeat, NOW).await.unwrap();
        }
        self.store.seal_log(NOW).await.unwrap();
        self.store.sign_log(NOW).await.unwrap();
        self.size().await
    }

    pub async fn size(&self) -> u64 {
        self.store.head().await.unwrap().unwrap().size
    }

    /// Exports, verifies, and gives back the folder.
    pub async fn export(&self) -> TempDir {
        let auditor =
            Actor { id: "usr_auditor".to_owned(), kind: ActorKind::User, roles: vec![Role::Auditor], level: 1 };
        let dir = TempDir::new().unwrap();
        self.store.export_log(dir.path(), &auditor, NOW, &mut |_, _| {}).await.unwrap();
        let ask = audit::Ask::of(VerifierKey::parse(&self.key).unwrap());
        let report = audit::verify(dir.path(), &ask).unwrap();
        assert_eq!(report.fault, None);
        dir
    }

    pub async fn nothing_is_done(&self) -> bool {
        let entered = self.store.record_service(ServiceSign::Heartbeat, NOW).await;
        matches!(entered, Err(store::Error::LogStopped { .. }))
    }
}

/// Shows the newest head once, as when the service stops; gives back how long it took.
pub async fn show(log: &Log, anchors: &Anchors) -> Duration {
    let began = Instant::now();
    anchors.clone().run(log.store.clone(), watch::channel(true).1).await;
    began.elapsed()
}
