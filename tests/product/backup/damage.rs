use std::process::Command;

use support::sealed_name;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_cut_flipped_or_exchanged_in_a_backup_is_refused_by_name() {
    let place = &stores().await[0];
    let store = &place.store;
    quarantined(store, b"first").await;
    let (shelf, other) = (Shelf::new(), Shelf::new());
    let earlier = shelf.take(store, NOW).await;
    quarantined(store, b"second").await;
    let taken = shelf.take(store, seconds_later(60)).await;
    let stranger = &stores().await[0];
    quarantined(&stranger.store, b"first").await;
    let theirs = other.take(&stranger.store, NOW).await;

    let refused = async |path: &Path, bytes: &[u8]| {
        let whole = fs::read(path).unwrap();
        assert_ne!(whole, bytes);
        fs::write(path, bytes).unwrap();
        let fresh = Fresh::new(&place.config, None);
        let restored = fresh.restore(&shelf, None, false).await;
        fs::write(path, whole).unwrap();
        match restored {
            Err(err) => {
                assert!(fresh.is_empty(), "{err}");
                store::causes(&err)
            }
            Ok(restored) => {
                let faults = restored.report.faults.iter().map(|it| format!("{}: {}", it.about, it.what));
                faults.collect::<Vec<_>>().join("\n")
            }
        }
    };
    let snapshot = shelf.place().dir.join(&taken.snapshot);
    let whole = fs::read(&snapshot).unwrap();
    // Where each lot begins, so that every one of them is hit.
    let (mut at, mut hits) = (27, vec![0, 10, 11, 26]);
    while at < whole.len() {
        let size = u32::from_be_bytes(whole[at..at + 4].try_into().unwrap()) as usize;
        hits.extend([at + 3, at + 4, at + 60, at + 4 + size - 1]);
        at += 4 + size;
    }
    assert!(12 < hits.len());
    for hit in hits {
        let mut flipped = whole.clone();
        flipped[hit] ^= 1;
        let why = refused(&snapshot, &flipped).await;
        assert!(why.starts_with(&format!("`{}` of the backup is refused: ", taken.snapshot)), "{hit}: {why}");
        let why = refused(&snapshot, &whole[..hit]).await;
        assert!(why.contains("of the backup is refused: it is cut"), "{hit}: {why}");
    }
    let last = whole.len() - 1;
    assert!(refused(&snapshot, &whole[..last]).await.contains("it is cut"));
    assert!(refused(&snapshot, &[&whole[..], b"\0"].concat()).await.contains("it was extended"));
    let exchanged = fs::read(shelf.place().dir.join(&earlier.snapshot)).unwrap();
    assert!(refused(&snapshot, &exchanged).await.contains("another snapshot under this one's name"));
    let foreign = fs::read(other.place().dir.join(&theirs.snapshot)).unwrap();
    assert!(refused(&snapshot, &foreign).await.contains("another snapshot under this one's name"));
    let mut renamed = foreign;
    renamed[11..27].copy_from_slice(&whole[11..27]);
    assert!(refused(&snapshot, &renamed).await.contains("record key"));

    let table = shelf.place().keys.join(&taken.key_table);
    let whole = fs::read(&table).unwrap();
    for hit in (0..whole.len()).step_by(37).chain([whole.len() - 2, whole.len() - 1]) {
        let mut flipped = whole.clone();
        flipped[hit] ^= 1;
        let why = refused(&table, &flipped).await;
        assert!(why.starts_with(&format!("`{}` of the backup is refused: ", taken.key_table)), "{hit}: {why}");
        let why = refused(&table, &whole[..hit]).await;
        assert!(why.contains("of the backup is refused: it is cut"), "{hit}: {why}");
    }
    let lines: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
    let mut mixed = lines.clone();
    mixed.remove(3);
    assert!(refused(&table, &mixed.concat()).await.contains("it was altered"));
    let foreign = fs::read(other.place().keys.join(&theirs.key_table)).unwrap();
    assert!(refused(&table, &foreign).await.contains("another installation"));
    let exchanged = fs::read(shelf.place().keys.join(&earlier.key_table)).unwrap();
    assert!(refused(&table, &exchanged).await.contains("it is older than the snapshot"));

    // The rest is restored, and what is wrong with a sealed file is told of that file.
    let blobs = files_below(&shelf.place().dir.join("vault"));
    let blobs: Vec<_> = blobs.into_iter().filter(|it| it.extension().is_some_and(|it| it == "sealed")).collect();
    assert_eq!(blobs.len(), 2);
    for blob in &blobs {
        let (id, whole) = (blob.file_stem().unwrap().to_str().unwrap(), fs::read(blob).unwrap());
        let mut flipped = whole.clone();
        flipped[130] ^= 1;
        let other = blobs.iter().find(|it| *it != blob).unwrap();
        for (bytes, expected) in [
            (flipped, "was altered"),
            (whole[..whole.len() - 1].to_vec(), "it is cut"),
            (fs::read(other).unwrap(), "needs record key"),
        ] {
            let why = refused(blob, &bytes).await;
            assert!(why.contains(&format!("file {id} of case ")) && why.contains(expected), "{why}");
        }
        fs::rename(blob, blob.with_extension("gone")).unwrap();
        let fresh = Fresh::new(&place.config, None);
        let restored = fresh.restore(&shelf, None, false).await.unwrap();
        fs::rename(blob.with_extension("gone"), blob).unwrap();
        assert_eq!((restored.missing, restored.report.faults.len()), (1, 1), "{:?}", restored.report.faults);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_log_that_was_spoilt_in_a_backup_is_made_again_from_the_entries() {
    let place = &stores().await[0];
    quarantined(&place.store, b"first").await;
    let shelf = Shelf::new();
    shelf.take(&place.store, NOW).await;
    for path in files_below(&shelf.place().dir.join("log")) {
        let mut bytes = fs::read(&path).unwrap();
        bytes[0] ^= 1;
        fs::write(&path, bytes).unwrap();
    }
    let fresh = Fresh::new(&place.config, None).with_signed_head(&place.config);
    assert_eq!(fresh.restore(&shelf, None, false).await.unwrap().report.faults, []);
    let store = fresh.open().await;
    admit(&store, b"second").await;
    store.sign_log(NOW).await.unwrap();
    let dir = TempDir::new().unwrap();
    let exported = store.export_log(dir.path(), &auditor(), NOW, &mut |_, _| {}).await.unwrap();
    support::verify_export(dir.path(), &exported.head.verifier_key);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_file_keeps_no_other_from_being_copied_or_brought_back() {
    let place = &stores().await[0];
    let store = &place.store;
    let (one, other) = (quarantined(store, b"one").await, quarantined(store, b"other").await);
    let file = store.case(one).await.unwrap().original;
    let live = place.sealed(file);
    let spoil = |path: &Path, how: usize| {
        fs::remove_file(path).unwrap();
        match how {
            0 => fs::create_dir(path).unwrap(),
            1 => symlink("/dev/zero", path).unwrap(),
            _ => assert!(Command::new("mkfifo").arg(path).status().unwrap().success()),
        }
    };
    let mend = |path: &Path, bytes: &[u8]| {
        if path.symlink_metadata().unwrap().is_dir() {
            fs::remove_dir(path).unwrap()
        } else {
            fs::remove_file(path).unwrap()
        }
        fs::write(path, bytes).unwrap();
    };
    let whole = fs::read(&live).unwrap();
    for how in 0..3 {
        let shelf = Shelf::new();
        spoil(&live, how);
        let taken =
            store.backup(&shelf.place(), 7, &admin(), seconds_later(how as i64), &mut |_, _, _| {}).await.unwrap();
        assert_eq!((taken.missing.as_slice(), taken.new_files), ([file].as_slice(), 1));
        mend(&live, &whole);
        let taken = shelf.take(store, seconds_later(60)).await;
        assert_eq!(taken.new_files, 1);

        let copy = shelf.place().dir.join("vault").join(sealed_name(file));
        spoil(&copy, how);
        let fresh = Fresh::new(&place.config, None);
        let restored = fresh.restore(&shelf, None, false).await.unwrap();
        assert_eq!((restored.missing, restored.spoilt.len(), restored.report.faults.len()), (1, 1, 1));
        assert!(restored.spoilt[0].contains(&file.to_string()), "{:?}", restored.spoilt);
        assert_eq!(original(&fresh.open().await, other).await.unwrap(), b"other");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_cut_in_the_backup_is_copied_again_and_one_that_was_cut_here_is_not() {
    let place = &stores().await[0];
    let store = &place.store;
    let id = quarantined(store, b"whole").await;
    let file = store.case(id).await.unwrap().original;
    let (shelf, live) = (Shelf::new(), place.sealed(file));
    shelf.take(store, NOW).await;
    let copy = shelf.place().dir.join("vault").join(sealed_name(file));
    let whole = fs::read(&copy).unwrap();
    for (n, bytes) in
        [&whole[..whole.len() - 1], &whole[..100], b"", &[&whole[..], b"more"].concat()].iter().enumerate()
    {
        fs::write(&copy, bytes).unwrap();
        assert_eq!(shelf.take(store, seconds_later(60 + n as i64)).await.new_files, 1);
        assert!(fs::read(&copy).unwrap() == whole);
    }
    fs::write(&live, &whole[..100]).unwrap();
    assert_eq!(shelf.take(store, seconds_later(120)).await.new_files, 0);
    assert!(fs::read(&copy).unwrap() == whole);
}
