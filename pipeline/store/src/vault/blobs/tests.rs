#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod bucket;
mod server;

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Barrier;
use std::time::SystemTime;

use server::Server;
use tempfile::TempDir;

use super::*;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// Sealed files of one kind, in a place of their own.
struct Laid {
    place: BlobPlace,
    blobs: Blobs,
    /// Where the kind stages.
    staging: PathBuf,
    dir: TempDir,
}

/// What is promised, and the test of it.
type Promise = (&'static str, fn(&Laid));

/// What holds in a folder holds in a bucket.
const PROMISES: [Promise; 8] = [
    ("what was placed is read at any offset whatever its size", reads_at_any_offset),
    ("what lies behind the end is an error", refuses_to_read_behind_the_end),
    ("nothing is overwritten", overwrites_nothing),
    ("of many who place one file at once one succeeds", lets_one_of_many_succeed),
    ("what was not placed does not count", counts_only_what_was_placed),
    ("who was thought dead does not place what another staged", places_only_ones_own),
    ("what was removed is missing", removes),
    ("whole files are listed in order and each stray is named", lists),
];

#[test]
fn a_folder_keeps_every_promise() {
    for (promise, keeps) in PROMISES {
        eprintln!("{promise}");
        keeps(&Laid::folder());
    }
}

#[test]
fn a_bucket_keeps_every_promise() {
    let Some(server) = server::server() else { return };
    for (promise, keeps) in PROMISES {
        eprintln!("{promise}");
        keeps(&Laid::bucket(server));
    }
}

impl Laid {
    fn folder() -> Laid {
        let dir = TempDir::new().unwrap();
        let place = BlobPlace::Folder(dir.path().join("vault"));
        Laid { blobs: Blobs::open(&place).unwrap(), staging: dir.path().join("vault/new"), place, dir }
    }

    /// Below a prefix of its own.
    fn bucket(server: &Server) -> Laid {
        let dir = TempDir::new().unwrap();
        let place = server.place(&dir, &format!("s3://vault/tests/{}", Uuid::now_v7()));
        Laid::at(place, dir)
    }

    fn at(place: BucketPlace, dir: TempDir) -> Laid {
        let staging = place.staging.clone();
        let place = BlobPlace::Bucket(place);
        Laid { blobs: Blobs::open(&place).unwrap(), staging, place, dir }
    }

    fn put(&self, bytes: &[u8]) -> Uuid {
        let id = Uuid::now_v7();
        self.put_as(id, bytes).unwrap();
        id
    }

    fn put_as(&self, id: Uuid, bytes: &[u8]) -> Result<(), VaultError> {
        let mut staged = self.blobs.stage(id)?;
        staged.write_all(bytes).unwrap();
        self.blobs.place(staged)
    }

    fn get(&self, id: Uuid) -> Vec<u8> {
        let blob = self.blobs.read(id).unwrap();
        let mut bytes = vec![0; blob.size() as usize];
        blob.read_exact_at(&mut bytes, 0).unwrap();
        bytes
    }

    /// Puts something where it is found, past the product.
    fn strew(&self, name: &str, bytes: &[u8]) {
        match &self.place {
            BlobPlace::Folder(root) => {
                let path = root.join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, bytes).unwrap();
            }
            BlobPlace::Bucket(place) => server::put_past(place, name, bytes),
        }
    }

    fn ids(&self) -> Vec<Uuid> {
        self.blobs.ids().collect::<Result<_, _>>().unwrap()
    }
}

fn bytes(size: usize) -> Vec<u8> {
    (0..size).map(|i| (i * i / 7 + i / 65536) as u8).collect()
}

fn exists(result: Result<impl Sized, VaultError>) -> bool {
    matches!(result, Err(VaultError::Exists { .. }))
}

fn reads_at_any_offset(laid: &Laid) {
    let sizes = [0, 1, 64 * KIB, MIB - 1, MIB, MIB + 1, 3 * MIB + 7, 8 * MIB, 8 * MIB + 1, 17 * MIB];
    for size in sizes {
        let whole = bytes(size);
        let blob = laid.blobs.read(laid.put(&whole)).unwrap();
        assert_eq!(blob.size(), size as u64);
        for step in [64 * KIB, 700_001] {
            let mut read = Vec::new();
            while read.len() < size {
                let mut some = vec![0; step.min(size - read.len())];
                blob.read_exact_at(&mut some, read.len() as u64).unwrap();
                read.extend(some);
            }
            assert!(read == whole, "{size} bytes in steps of {step}");
        }
        for (offset, n) in [(0, 0), (0, 1), (size / 2, 1), (size.saturating_sub(1), 1), (size / 3, size / 2)] {
            let mut some = vec![0; n.min(size)];
            blob.read_exact_at(&mut some, offset as u64).unwrap();
            assert!(some == whole[offset..][..some.len()], "{n} bytes at {offset} of {size}");
        }
    }
}

fn refuses_to_read_behind_the_end(laid: &Laid) {
    for size in [0, 10, 2 * MIB] {
        let blob = laid.blobs.read(laid.put(&bytes(size))).unwrap();
        for (offset, n) in [(size as u64, 1), (0, size + 1), (u64::MAX, 1), (i64::MAX as u64, 1)] {
            assert!(blob.read_exact_at(&mut vec![0; n], offset).is_err(), "{n} bytes at {offset} of {size}");
        }
    }
}

fn overwrites_nothing(laid: &Laid) {
    for size in [5, 9 * MIB] {
        let id = laid.put(&bytes(size));
        assert!(exists(laid.put_as(id, b"other")));
        assert!(exists(laid.put_as(id, &bytes(9 * MIB))));
        assert!(laid.get(id) == bytes(size));
    }
    assert_eq!(fs::read_dir(&laid.staging).unwrap().count(), 0);
}

fn lets_one_of_many_succeed(laid: &Laid) {
    for size in [100 * KIB, 9 * MIB] {
        let id = Uuid::now_v7();
        let together = Barrier::new(8);
        let place = |n: usize| {
            together.wait();
            laid.put_as(id, &bytes(size + n))
        };
        let results: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|n| scope.spawn(move || (n, place(n)))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let (placed, refused): (Vec<_>, Vec<_>) = results.into_iter().partition(|(_, result)| result.is_ok());
        assert_eq!(placed.len(), 1);
        assert!(laid.get(id) == bytes(size + placed[0].0));
        assert!(refused.into_iter().all(|(_, result)| exists(result)));
    }
}

fn counts_only_what_was_placed(laid: &Laid) {
    let (dropped, crashed) = (Uuid::now_v7(), Uuid::now_v7());
    laid.blobs.stage(dropped).unwrap().write_all(b"half of").unwrap();
    let mut staged = laid.blobs.stage(crashed).unwrap();
    staged.write_all(b"half of").unwrap();
    assert!(exists(laid.blobs.stage(crashed)), "while one is being filled");
    std::mem::forget(staged);
    for id in [dropped, crashed] {
        assert!(matches!(laid.blobs.read(id), Err(VaultError::Missing { .. })));
    }
    assert_eq!(laid.ids(), Vec::<Uuid>::new());
    let left: Vec<_> = fs::read_dir(&laid.staging).unwrap().map(|it| it.unwrap().path()).collect();
    assert_eq!(left, [laid.staging.join(crashed.to_string())]);

    Blobs::open(&laid.place).unwrap();
    assert!(left[0].exists(), "somebody may be filling it");
    let long_ago = SystemTime::now() - Duration::from_secs(STAGED_SECONDS_MAX + 1);
    File::options().write(true).open(&left[0]).unwrap().set_modified(long_ago).unwrap();
    Blobs::open(&laid.place).unwrap();
    assert!(!left[0].exists());
}

fn places_only_ones_own(laid: &Laid) {
    let id = Uuid::now_v7();
    let mut silent = laid.blobs.stage(id).unwrap();
    silent.write_all(b"first").unwrap();
    fs::remove_file(laid.staging.join(id.to_string())).unwrap();
    let mut other = laid.blobs.stage(id).unwrap();
    other.write_all(b"second, in p").unwrap();
    laid.blobs.place(silent).unwrap_err();
    other.write_all(b"art").unwrap();
    laid.blobs.place(other).unwrap();
    assert_eq!(laid.get(id), b"second, in part");
}

fn removes(laid: &Laid) {
    let (kept, gone) = (laid.put(b"kept"), laid.put(b"gone"));
    laid.blobs.remove(gone).unwrap();
    assert!(matches!(laid.blobs.read(gone), Err(VaultError::Missing { id }) if id == gone));
    assert!(matches!(laid.blobs.remove(gone), Err(VaultError::Missing { id }) if id == gone));
    assert_eq!(laid.ids(), [kept]);
}

fn lists(laid: &Laid) {
    assert_eq!(laid.ids(), Vec::<Uuid>::new());
    let mut placed: Vec<Uuid> = (0..300).map(|n| Uuid::from_u128(((n % 7) << 120) + (n << 40) + n % 20)).collect();
    for id in &placed {
        laid.put_as(*id, b"x").unwrap();
    }
    placed.sort_by_key(|id| (id.as_bytes()[15], *id));
    assert_eq!(laid.ids(), placed);

    let (here, there) = (placed[0], Uuid::from_u128(0x1234));
    let strays = [
        "notes.txt".to_owned(),
        "zz/notes.txt".to_owned(),
        "00/notes.txt".to_owned(),
        format!("01/{here}.sealed"),
        format!("{there}.sealed"),
        format!("34/{}.sealed", there.simple()),
        format!("34/{there}.sealed.tmp"),
        format!("ff/{there}"),
    ];
    for stray in &strays {
        laid.strew(stray, b"x");
    }
    let (whole, errors): (Vec<_>, Vec<_>) = laid.blobs.ids().partition(Result::is_ok);
    assert_eq!(whole.into_iter().map(Result::unwrap).collect::<Vec<_>>(), placed);
    let said: Vec<String> = errors.into_iter().map(|error| error.unwrap_err().to_string()).collect();
    assert_eq!(said.len(), strays.len(), "{said:?}");
    for stray in strays {
        // A whole folder that does not belong is named once.
        let name = stray.strip_suffix("/notes.txt").filter(|it| *it == "zz").unwrap_or(&stray);
        assert!(said.iter().any(|it| it.contains(name) && it.ends_with("does not belong in the vault")), "{name}");
    }
}

#[test]
fn a_folder_and_its_files_are_for_their_owner_alone() {
    let laid = Laid::folder();
    let path = laid.dir.path().join("vault").join(relative(laid.put(b"x")));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    for folder in [path.parent().unwrap(), &laid.staging, laid.staging.parent().unwrap()] {
        assert_eq!(mode(folder), 0o700);
    }
}

#[test]
fn only_a_file_is_read() {
    let laid = Laid::folder();
    let id = Uuid::now_v7();
    let path = laid.dir.path().join("vault").join(relative(id));
    fs::create_dir(path.parent().unwrap()).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    assert!(matches!(laid.blobs.read(id), Err(VaultError::Stray { .. })));
}
