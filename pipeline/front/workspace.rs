//! A workspace: one folder with everything of one installation, described by `countersign.toml`.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow, bail, ensure};
use serde::Deserialize;
use store::{BlobPlace, BucketPlace, Config, Custody, Store};
use tokio::sync::OnceCell;
use work::{Anchors, HeadsFolder, Inbox, Ledger, PolicyFolder, Reader, Recognition, Tesseract, Timestamps, Witnesses};

use super::{Mistake, custody};

pub(crate) const FILE: &str = "countersign.toml";

/// What Tesseract reads where nothing is said.
const LANGUAGES: &str = "deu+eng";

/// What a fresh workspace says; every line is the default and may be left out.
pub(crate) const TEMPLATE: &str = include_str!("countersign.toml");

/// The files of a fresh policy folder.
pub(crate) const POLICIES: [(&str, &str); 3] = [
    ("checkpoints.toml", include_str!("../../policies/checkpoints.toml")),
    ("tolerances.toml", include_str!("../../policies/tolerances.toml")),
    ("retention.toml", include_str!("../../policies/retention.toml")),
];

/// Does a service run on the workspace in this folder, on this machine?
pub(crate) fn is_in_use(dir: &Path) -> bool {
    File::open(dir.join(FILE)).is_ok_and(|settings| matches!(settings.try_lock(), Err(TryLockError::WouldBlock)))
}

/// `countersign.toml`. Paths are relative to it. The environment goes before the file for what is named in brackets.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// [COUNTERSIGN_DATABASE]
    pub(crate) database: String,
    pub(crate) data: PathBuf,
    /// [COUNTERSIGN_KEYS]
    pub(crate) keys: PathBuf,
    pub(crate) policies: PathBuf,
    pub(crate) workers: usize,
    pub(crate) vault: VaultSettings,
    pub(crate) inbox: InboxSettings,
    pub(crate) pages: PagesSettings,
    pub(crate) log: LogSettings,
    pub(crate) ledger: LedgerSettings,
    pub(crate) reader: ReaderSettings,
    pub(crate) custody: CustodySettings,
}

/// What each custodian of the key file needs; the file itself says which one it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct CustodySettings {
    /// The name of a credential that systemd hands over.
    pub(crate) credential: String,
    /// Where there is no such credential.
    pub(crate) credential_variable: String,
    pub(crate) passphrase_variable: String,
    /// An open file that the passphrase is read from.
    pub(crate) passphrase_descriptor: Option<u32>,
    /// A program and its arguments.
    pub(crate) command: Vec<String>,
    pub(crate) command_seconds_max: u64,
    pub(crate) transit: Option<TransitSettings>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TransitSettings {
    pub(crate) url: String,
    #[serde(default = "TransitSettings::mount")]
    pub(crate) mount: String,
    pub(crate) key: String,
    pub(crate) namespace: Option<String>,
    /// Before the variable, where it is named.
    pub(crate) token_file: Option<PathBuf>,
    #[serde(default = "TransitSettings::token_variable")]
    pub(crate) token_variable: String,
    #[serde(default = "TransitSettings::seconds_max")]
    pub(crate) seconds_max: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct VaultSettings {
    /// `s3://bucket/prefix`; the folder `vault` under `data` when absent.
    pub(crate) bucket: Option<String>,
    pub(crate) endpoint: Option<String>,
    pub(crate) region: String,
    /// A file; the environment when absent [AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN].
    pub(crate) credentials: Option<PathBuf>,
    pub(crate) plain_http: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct InboxSettings {
    pub(crate) folder: PathBuf,
    pub(crate) settle_ms: u64,
    pub(crate) sweep_seconds: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PagesSettings {
    pub(crate) listen: String,
    pub(crate) title: String,
    /// How browsers reach the pages where that is not `listen`: a proxy with TLS.
    pub(crate) base_url: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LogSettings {
    pub(crate) origin: String,
    pub(crate) witnesses: Vec<WitnessSettings>,
    /// How many witnesses are enough; all of them when absent.
    pub(crate) quorum: Option<usize>,
    pub(crate) witness_seconds: u64,
    pub(crate) timestamp_url: Option<String>,
    pub(crate) timestamp_minutes: u64,
    pub(crate) heads_folder: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WitnessSettings {
    /// Before `/add-checkpoint`.
    pub(crate) url: String,
    /// `name+id+base64`
    pub(crate) key: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LedgerSettings {
    pub(crate) folder: PathBuf,
    pub(crate) url: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ReaderSettings {
    pub(crate) memory_mib_max: u64,
    pub(crate) cpu_seconds_max: u64,
    pub(crate) wall_seconds_max: u64,
    pub(crate) document_mib_max: u64,
    /// [COUNTERSIGN_OCR_MODELS] The folder of the models for character recognition.
    pub(crate) ocr_models: Option<PathBuf>,
    pub(crate) ocr_memory_mib_max: u64,
    pub(crate) ocr_cpu_seconds_max: u64,
    /// [COUNTERSIGN_TESSERACT] Where the program Tesseract lies; not used when absent or empty.
    pub(crate) tesseract: Option<PathBuf>,
    /// [COUNTERSIGN_TESSERACT_LANGUAGES] By its own names for them.
    pub(crate) tesseract_languages: String,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            database: "data/countersign.db".to_owned(),
            data: "data".into(),
            keys: "keys".into(),
            policies: "policies".into(),
            workers: std::thread::available_parallelism().map_or(2, usize::from),
            vault: VaultSettings::default(),
            inbox: InboxSettings::default(),
            pages: PagesSettings::default(),
            log: LogSettings::default(),
            ledger: LedgerSettings::default(),
            reader: ReaderSettings::default(),
            custody: CustodySettings::default(),
        }
    }
}

impl Default for VaultSettings {
    fn default() -> VaultSettings {
        VaultSettings {
            bucket: None,
            endpoint: None,
            region: "us-east-1".to_owned(),
            credentials: None,
            plain_http: false,
        }
    }
}

impl Default for CustodySettings {
    fn default() -> CustodySettings {
        CustodySettings {
            credential: "countersign-keys".to_owned(),
            credential_variable: "COUNTERSIGN_CREDENTIAL".to_owned(),
            passphrase_variable: "COUNTERSIGN_PASSPHRASE".to_owned(),
            passphrase_descriptor: None,
            command: Vec::new(),
            command_seconds_max: work::KEY_COMMAND_SECONDS,
            transit: None,
        }
    }
}

impl TransitSettings {
    fn mount() -> String {
        "transit".to_owned()
    }

    fn token_variable() -> String {
        "VAULT_TOKEN".to_owned()
    }

    fn seconds_max() -> u64 {
        15
    }
}

impl Default for InboxSettings {
    fn default() -> InboxSettings {
        InboxSettings { folder: "inbox".into(), settle_ms: 2_000, sweep_seconds: 5 }
    }
}

impl Default for PagesSettings {
    fn default() -> PagesSettings {
        PagesSettings { listen: "127.0.0.1:8484".to_owned(), title: "Countersign".to_owned(), base_url: None }
    }
}

impl Default for LogSettings {
    fn default() -> LogSettings {
        LogSettings {
            origin: "audit.localhost/main/1".to_owned(),
            witnesses: Vec::new(),
            quorum: None,
            witness_seconds: work::WITNESS_SECONDS,
            timestamp_url: None,
            timestamp_minutes: work::TIMESTAMP_MINUTES,
            heads_folder: None,
        }
    }
}

impl Default for LedgerSettings {
    fn default() -> LedgerSettings {
        LedgerSettings { folder: "ledger".into(), url: None }
    }
}

impl Default for ReaderSettings {
    fn default() -> ReaderSettings {
        ReaderSettings {
            memory_mib_max: 1024,
            cpu_seconds_max: 20,
            wall_seconds_max: work::WALL_SECONDS_MAX,
            document_mib_max: 64,
            ocr_models: None,
            ocr_memory_mib_max: 3072,
            ocr_cpu_seconds_max: 45,
            tesseract: None,
            tesseract_languages: LANGUAGES.to_owned(),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) dir: PathBuf,
    pub(crate) settings: Settings,
    /// What opens the key file; somebody is asked once for it.
    custody: OnceCell<Custody>,
}

impl Workspace {
    /// Reads the settings of the workspace in `dir`.
    pub(crate) fn open(dir: &Path) -> anyhow::Result<Workspace> {
        let mut workspace = Workspace::alone(dir)?;
        if let Ok(database) = std::env::var("COUNTERSIGN_DATABASE") {
            workspace.settings.database = database;
        }
        if let Ok(keys) = std::env::var("COUNTERSIGN_KEYS") {
            workspace.settings.keys = keys.into();
        }
        ensure!(
            !workspace.path(&workspace.settings.keys).starts_with(workspace.path(&workspace.settings.data)),
            Mistake::File(
                "the keys must not lie inside the data folder: whoever copies the one would have the other".into()
            )
        );
        let settings = &workspace.settings;
        let inbox = workspace.path(&settings.inbox.folder);
        let heads = settings.log.heads_folder.as_deref().map(|folder| ("the log's heads", folder));
        for (name, other) in [
            ("the workspace", Path::new("")),
            ("data", &settings.data),
            ("keys", &settings.keys),
            ("policies", &settings.policies),
            ("the ledger", &settings.ledger.folder),
        ]
        .into_iter()
        .chain(heads)
        {
            let other = workspace.path(other);
            let apart = !other.starts_with(&inbox) && (name == "the workspace" || !inbox.starts_with(&other));
            ensure!(
                apart,
                Mistake::File(format!(
                    "the inbox `{}` is, holds or lies in the folder of {name}: everything in it would be taken in",
                    inbox.display()
                ))
            );
        }
        Ok(workspace)
    }

    /// Tells [`is_in_use`] that a service runs, for as long as this is kept. Any number of nodes may.
    pub(crate) fn in_use(&self) -> anyhow::Result<File> {
        let settings = File::open(self.dir.join(FILE)).with_context(|| format!("`{FILE}` cannot be read"))?;
        // On a disk that knows no locks, nobody is told.
        drop(settings.try_lock_shared());
        Ok(settings)
    }

    /// As [`Workspace::open`], without asking the environment: nothing outside the folder is touched.
    pub(crate) fn alone(dir: &Path) -> anyhow::Result<Workspace> {
        let path = dir.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(err) if matches!(err.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                bail!(Mistake::Use(format!(
                    "there is no workspace in `{}`: it has no {FILE}; make one with `countersign init DIR`, or name another with -C",
                    dir.display()
                )))
            }
            Err(err) => return Err(err).with_context(|| format!("cannot read `{}`", path.display())),
        };
        let settings: Settings =
            toml::from_str(&text).with_context(|| Mistake::File(format!("`{}` has a mistake", path.display())))?;
        let dir = std::path::absolute(dir).with_context(|| format!("`{}`", dir.display()))?;
        Ok(Workspace { dir, settings, custody: OnceCell::new() })
    }

    pub(crate) fn path(&self, path: &Path) -> PathBuf {
        self.dir.join(path)
    }

    /// Refuses a folder to write into that is, holds or lies in one of the workspace's own: what is put into the inbox is
    /// taken in, and what is put beside the data is taken for it. Links are followed.
    pub(crate) fn refuse_own(&self, dir: &Path) -> anyhow::Result<()> {
        let Settings { inbox, data, keys, ledger, policies, .. } = &self.settings;
        let real = real(&std::path::absolute(dir).with_context(|| format!("`{}`", dir.display()))?);
        for (name, own) in [
            ("inbox", &inbox.folder),
            ("data", data),
            ("keys", keys),
            ("ledger", &ledger.folder),
            ("policies", policies),
        ] {
            let own = self::real(&self.path(own));
            if real.starts_with(&own) || own.starts_with(&real) {
                let what =
                    format!("`{}` is, holds or lies in the workspace's folder `{name}`: name another", dir.display());
                return Err(store::Error::Unacceptable { what }.into());
            }
        }
        Ok(())
    }

    /// The keys, and what opens them: whoever keeps the key file closed is asked the first time.
    pub(crate) async fn custody(&self) -> anyhow::Result<&Custody> {
        let open = || async {
            let mut custody = self.key_file();
            if let Some(sealing) = store::sealing(&custody.folder)? {
                let lock = custody::unlock(&self.settings.custody, &self.dir, sealing).await;
                custody.lock = Some(lock.context("the key file cannot be opened")?.into());
            }
            anyhow::Ok(custody)
        };
        self.custody.get_or_try_init(open).await
    }

    /// Where the keys are.
    pub(crate) fn key_file(&self) -> Custody {
        let escrow = self.path(&self.settings.data).join("keys.escrow");
        Custody { escrow: Some(escrow), ..self.path(&self.settings.keys).into() }
    }

    pub(crate) async fn store(&self) -> anyhow::Result<Store> {
        let config = self.config().await?;
        Store::open(&config).await.with_context(|| format!("the workspace `{}` cannot be opened", self.dir.display()))
    }

    pub(crate) async fn config(&self) -> anyhow::Result<Config> {
        let remote = self.settings.database.starts_with("postgres");
        let database = if remote {
            self.settings.database.clone()
        } else {
            self.path(Path::new(&self.settings.database)).to_string_lossy().into_owned()
        };
        Ok(Config {
            database,
            vault: self.vault(),
            keys: self.custody().await?.clone(),
            log: self.path(&self.settings.data).join("log"),
            origin: self.settings.log.origin.clone(),
            node: node(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        })
    }

    fn vault(&self) -> BlobPlace {
        let (data, settings) = (self.path(&self.settings.data), &self.settings.vault);
        match &settings.bucket {
            None => BlobPlace::Folder(data.join("vault")),
            Some(url) => BlobPlace::Bucket(BucketPlace {
                url: url.clone(),
                endpoint: settings.endpoint.clone(),
                region: settings.region.clone(),
                credentials: settings.credentials.as_deref().map(|path| self.path(path)),
                plain_http: settings.plain_http,
                staging: data.join("uploads"),
            }),
        }
    }

    pub(crate) fn vault_name(&self) -> String {
        match self.vault() {
            BlobPlace::Folder(folder) => folder.display().to_string(),
            BlobPlace::Bucket(bucket) => bucket.url,
        }
    }

    pub(crate) fn policies(&self) -> PolicyFolder {
        PolicyFolder::new(self.path(&self.settings.policies))
    }

    pub(crate) fn inbox(&self) -> Inbox {
        let InboxSettings { folder, settle_ms, sweep_seconds } = &self.settings.inbox;
        let (settle, sweep) = (Duration::from_millis(*settle_ms), Duration::from_secs((*sweep_seconds).max(1)));
        Inbox::new(self.path(folder), &node(), settle, sweep)
    }

    pub(crate) fn ledger(&self) -> anyhow::Result<Ledger> {
        Ok(match &self.settings.ledger.url {
            Some(url) => Ledger::http(url)?,
            None => Ledger::Folder(self.path(&self.settings.ledger.folder)),
        })
    }

    /// To whom the log's heads are shown.
    pub(crate) fn anchors(&self) -> anyhow::Result<Anchors> {
        let log = &self.settings.log;
        let named = log.witnesses.iter().map(|witness| (witness.url.as_str(), witness.key.as_str()));
        let witnesses = Witnesses::new(named, log.quorum, log.witness_seconds);
        let timestamps = log.timestamp_url.as_deref().map(|url| Timestamps::new(url, log.timestamp_minutes));
        Ok(Anchors {
            witnesses: witnesses.context("the witnesses under [log] have a mistake")?,
            timestamps: timestamps.transpose().context("the time stamps under [log] have a mistake")?,
            heads_folder: log.heads_folder.as_deref().map(|folder| HeadsFolder(self.path(folder))),
        })
    }

    pub(crate) fn reader(&self) -> anyhow::Result<Reader> {
        let limits = &self.settings.reader;
        let (given, max) = (limits.wall_seconds_max, work::WALL_SECONDS_MAX);
        let much = || Mistake::File(format!("`wall_seconds_max` under [reader] is {given}, at most {max} allowed"));
        ensure!(given <= max, much());
        let default = reader()?;
        let models = default.recognition.map(|it| it.models);
        let models = models.or_else(|| limits.ocr_models.as_deref().map(|it| self.path(it)));
        let recognition = models.map(|models| Recognition {
            models,
            memory_bytes_max: limits.ocr_memory_mib_max << 20,
            cpu_seconds_max: limits.ocr_cpu_seconds_max,
        });
        Ok(Reader {
            memory_bytes_max: limits.memory_mib_max << 20,
            cpu_seconds_max: limits.cpu_seconds_max,
            wall_time_max: Duration::from_secs(limits.wall_seconds_max),
            document_bytes_max: limits.document_mib_max << 20,
            recognition,
            tesseract: tesseract(
                limits.tesseract.as_deref().filter(|it| !it.as_os_str().is_empty()).map(|it| self.path(it)),
                &limits.tesseract_languages,
            )?,
            ..default
        })
    }
}

/// The reader with its default limits: this program, started again; with the models that the environment names.
pub(crate) fn reader() -> anyhow::Result<Reader> {
    let mut reader = Reader::new(std::env::current_exe().context("this program does not know where it lies")?);
    if let Some(models) = std::env::var_os("COUNTERSIGN_OCR_MODELS").filter(|it| !it.is_empty()) {
        // The reader is started in another folder than this one.
        let models = std::path::absolute(&models).context("`COUNTERSIGN_OCR_MODELS` is no path")?;
        reader.recognition = Some(Recognition::new(models));
    }
    reader.tesseract = tesseract(None, LANGUAGES)?;
    Ok(reader)
}

/// The program and its languages, where the environment does not name others.
fn tesseract(program: Option<PathBuf>, languages: &str) -> anyhow::Result<Option<Tesseract>> {
    let program = match std::env::var_os("COUNTERSIGN_TESSERACT") {
        Some(named) if named.is_empty() => None,
        Some(named) => Some(std::path::absolute(&named).context("`COUNTERSIGN_TESSERACT` is no path")?),
        None => program,
    };
    let languages = std::env::var("COUNTERSIGN_TESSERACT_LANGUAGES").unwrap_or_else(|_| languages.to_owned());
    let tesseract = program.map(|program| Tesseract::new(program, &languages)).transpose();
    tesseract.map_err(|why| anyhow!("the languages of Tesseract: {why}"))
}

/// One name for one machine, in the letters that the log allows.
fn node() -> String {
    let name = std::env::var("COUNTERSIGN_NODE").ok().or_else(|| std::fs::read_to_string("/etc/hostname").ok());
    let letters = name
        .unwrap_or_default()
        .trim()
        .chars()
        .filter(|ch| ch.is_ascii_alphanumeric() || *ch == '-')
        .take(40)
        .collect::<String>();
    if letters.is_empty() { "node".to_owned() } else { letters.to_lowercase() }
}

/// The path without links; what is not there yet has none.
fn real(path: &Path) -> PathBuf {
    let known = path.ancestors().find_map(|part| Some((part, part.canonicalize().ok()?)));
    let Some((part, mut real)) = known else { return path.to_owned() };
    for name in path.strip_prefix(part).unwrap_or(Path::new("")).components() {
        match name {
            Component::ParentDir => drop(real.pop()),
            name => real.push(name),
        }
    }
    real
}
