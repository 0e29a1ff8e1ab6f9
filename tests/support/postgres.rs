//! A PostgreSQL of this test program alone, where its programs are installed.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::readable::Forms;
use super::{bytes, execute};

/// A fresh database of the private PostgreSQL; None where its programs are not installed, which in CI is a failure.
pub fn postgres_url() -> Option<String> {
    let cluster = postgres()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    Some(runtime.block_on(cluster.create_database()))
}

/// As [`postgres_url`], where a runtime is running.
pub async fn postgres_fresh() -> Option<String> {
    Some(postgres()?.create_database().await)
}

/// A database with all that another has.
pub async fn postgres_copy(url: &str) -> String {
    postgres().unwrap().copy(url).await
}

/// Where a form of a text is in PostgreSQL: in its files, with the write-ahead log, or in a row, which the files may hold
/// compressed.
pub async fn found_on_postgres(database: &str, forms: &Forms) -> Vec<String> {
    execute(database, "CHECKPOINT").await.unwrap();
    let files = forms.found_below(&postgres().unwrap().dir);
    let mut found: Vec<_> = files.iter().map(|(path, form)| format!("{}: {form}", path.display())).collect();
    let tables = "SELECT convert_to(tablename, 'UTF8') FROM pg_tables WHERE schemaname = 'public'";
    let tables = bytes(database, tables).await;
    assert!(10 < tables.len());
    for table in tables {
        let table = String::from_utf8(table).unwrap();
        // Bytes stand in a row's text as hexadecimal digits.
        for row in bytes(database, &format!("SELECT convert_to(row::text, 'UTF8') FROM {table} AS row")).await {
            found.extend(forms.found_in(&row).into_iter().map(|form| format!("table {table}: {form}")));
        }
    }
    found
}

/// A PostgreSQL of this test program alone, on a socket in a folder of its own.
pub(super) struct Cluster {
    dir: PathBuf,
    programs: PathBuf,
    /// Its standard input is the leash: when this process ends, however it ends, the server stops and the folder goes.
    _leash: Child,
}

pub(super) fn postgres() -> Option<&'static Cluster> {
    static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
    let cluster = CLUSTER.get_or_init(|| Some(Cluster::start(&postgres_programs()?)));
    let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(cluster.is_some() || !ci, "PostgreSQL is not installed, and in CI nothing is skipped");
    cluster.as_ref()
}

/// The newest version's folder of `initdb`, `pg_ctl` and `postgres`.
fn postgres_programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut versions: Vec<PathBuf> = versions.map(|version| version.unwrap().path().join("bin")).collect();
    versions.sort_by_key(|bin| bin.parent()?.file_name()?.to_str()?.parse::<u32>().ok());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain(versions.into_iter().rev());
    places.into_iter().find(|dir| ["initdb", "pg_ctl", "postgres"].iter().all(|it| dir.join(it).is_file()))
}

impl Cluster {
    fn start(programs: &Path) -> Cluster {
        const SCRIPT: &str = r#"
            initdb -D data -U postgres -A trust -E UTF8 --locale=C --no-sync >log 2>&1 &&
            echo "fsync = off" >>data/postgresql.conf &&
            pg_ctl -D data -w -s -l log -o "-k '$PWD' -h '' -N 400" start >>log 2>&1 &&
            echo ready && cat >/dev/null
            pg_ctl -D data -w -s -m immediate stop >>log 2>&1
            rm -rf "$PWD"
        "#;
        let dir = tempfile::Builder::new().prefix("countersign-pg-").tempdir().unwrap().keep();
        let path = std::env::join_paths([programs, Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SCRIPT]).current_dir(&dir).env_clear().env("PATH", path);
        // In a group of its own, so that whoever kills the test does not also kill what cleans up after it.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
        if let Some((user, group)) = server_ids() {
            chown(&dir, Some(user), Some(group)).unwrap();
            command.uid(user).gid(group);
        }
        let mut leash = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(leash.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "PostgreSQL did not start");
        Cluster { dir, programs: programs.to_owned(), _leash: leash }
    }

    pub(super) async fn create_database(&self) -> String {
        self.copy(&self.url("template1")).await
    }

    async fn copy(&self, url: &str) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let from = url.split('?').next().unwrap().rsplit('/').next().unwrap();
        let mut connection = PgConnection::connect(&self.url("postgres")).await.unwrap();
        let sql = AssertSqlSafe(format!("CREATE DATABASE {name} TEMPLATE {from}"));
        sqlx::query(sql).execute(&mut connection).await.unwrap();
        self.url(&name)
    }

    pub(super) fn url(&self, database: &str) -> String {
        format!("postgres://postgres@localhost/{database}?host={}", self.dir.display())
    }
}

/// From here on the server waits for the disk, as a customer's does; tests that measure nothing need not.
pub async fn postgres_waits_for_the_disk() {
    let Some(cluster) = postgres() else { return };
    let mut connection = PgConnection::connect(&cluster.url("postgres")).await.unwrap();
    for sql in ["ALTER SYSTEM SET fsync = on", "SELECT pg_reload_conf()"] {
        sqlx::query(sql).execute(&mut connection).await.unwrap();
    }
}

/// Ends the server as a power cut would, and starts it again, which recovers.
pub fn stop_postgres_at_once_and_start_it() {
    let cluster = postgres().unwrap();
    for script in ["-m immediate stop", "-l log -o \"-k '$PWD' -h '' -N 400\" start"] {
        let path =
            std::env::join_paths([cluster.programs.as_path(), Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &format!("pg_ctl -D data -w -s {script} >>log 2>&1")]);
        command.current_dir(&cluster.dir).env_clear().env("PATH", path).stdin(Stdio::null());
        if let Some((user, group)) = server_ids() {
            command.uid(user).gid(group);
        }
        assert!(command.status().unwrap().success(), "pg_ctl {script}");
    }
}

/// Who runs the server: PostgreSQL refuses to run as root.
fn server_ids() -> Option<(u32, u32)> {
    let root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    root.then(|| ids_of("postgres").or_else(|| ids_of("nobody")).unwrap())
}

fn ids_of(user: &str) -> Option<(u32, u32)> {
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap();
    let fields = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| fields[0] == user)?;
    Some((fields[2].parse().ok()?, fields[3].parse().ok()?))
}
