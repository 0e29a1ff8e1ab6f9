#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::sync::Barrier;
use std::time::SystemTime;

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

/// The same test on every kind.
fn on_each(test: impl Fn(&Laid)) {
    eprintln!("in a folder");
    test(&Laid::folder());
}

impl Laid {
    fn folder() -> Laid {
        let dir = TempDir::new().unwrap();
        let place = BlobPlace::Folder(dir.path().join("vault"));
        Laid { blobs: Blobs::open(&place).unwrap(), staging: dir.path().join("vault/new"), place, dir }
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

#[test]
fn what_was_placed_is_read_at_any_offset_whatever_its_size() {
    let sizes = [0, 1, 64 * KIB, MIB - 1, MIB, MIB + 1, 3 * MIB + 7, 8 * MIB, 8 * MIB + 1, 17 * MIB];
    on_each(|laid| {
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
    });
}

#[test]
fn what_lies_behind_the_end_is_an_error() {
    on_each(|laid| {
        for size in [0, 10, 2 * MIB] {
            let blob = laid.blobs.read(laid.put(&bytes(size))).unwrap();
            for (offset, n) in [(size as u64, 1), (0, size + 1), (u64::MAX, 1), (i64::MAX as u64, 1)] {
                assert!(blob.read_exact_at(&mut vec![0; n], offset).is_err(), "{n} bytes at {offset} of {size}");
            }
        }
    });
}

#[test]
fn nothing_is_overwritten() {
    on_each(|laid| {
        for size in [5, 9 * MIB] {
            let id = laid.put(&bytes(size));
            assert!(exists(laid.put_as(id, b"other")));
            assert!(exists(laid.put_as(id, &bytes(9 * MIB))));
            assert!(laid.get(id) == bytes(size));
        }
        assert_eq!(fs::read_dir(&laid.staging).unwrap().count(), 0);
    });
}

#[test]
fn of_many_who_place_one_file_at_once_one_succeeds() {
    on_each(|laid| {
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
    });
}

#[test]
fn what_was_not_placed_does_not_count() {
    on_each(|laid| {
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
    });
}

#[test]
fn who_was_thought_dead_does_not_place_what_another_staged() {
    on_each(|laid| {
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
    });
}

#[test]
fn what_was_removed_is_missing() {
    on_each(|laid| {
        let (kept, gone) = (laid.put(b"kept"), laid.put(b"gone"));
        laid.blobs.remove(gone).unwrap();
        assert!(matches!(laid.blobs.read(gone), Err(VaultError::Missing { id }) if id == gone));
        assert!(matches!(laid.blobs.remove(gone), Err(VaultError::Missing { id }) if id == gone));
        assert_eq!(laid.ids(), [kept]);
    });
}

#[test]
fn whole_files_are_listed_in_order_and_each_stray_is_named() {
    on_each(|laid| {
        assert_eq!(laid.ids(), Vec::<Uuid>::new());
        let mut placed: Vec<Uuid> = (0..300).map(|n| Uuid::from_u128((n % 7) << 120 | n << 40 | n % 20)).collect();
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
    });
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
