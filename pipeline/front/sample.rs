//! `log sample`: committed to before it is drawn.

use std::path::PathBuf;

use case::Digest;
use clap::Subcommand;
use serde_json::json;
use store::SampleAsk;
use work::now;

use super::log::{Days, advancing, progress};
use super::{Answer, Asking, Output};

#[derive(Subcommand)]
pub(crate) enum SampleCommand {
    /// Fix which cases can be drawn, and by which seed, in the log
    #[command(
        after_help = "Example:\n  countersign log sample commit --count 25 --from 2026-10-01 --to 2026-12-31 --as ada -C books\n\nAn auditor's own seed, 64 hexadecimal digits, goes in with --seed."
    )]
    Commit {
        /// How many cases to draw, at most 500
        #[arg(long, value_name = "N")]
        count: u64,
        #[command(flatten)]
        period: Days,
        /// 64 hexadecimal digits of an auditor's own; otherwise they are random
        #[arg(long, value_name = "HEX")]
        seed: Option<Digest>,
        #[command(flatten)]
        asking: Asking,
    },
    /// Draw a sample and write its evidence: receipts, openings, cases, documents
    #[command(
        after_help = "Example (the end of an id is enough):\n  countersign log sample draw 8c41 /mnt/auditor/sample --as ada -C books\n\nOpenings, cases and documents are left out where the account's role does not allow them. Drawn again, the same evidence is handed out again."
    )]
    Draw {
        /// The sample: its id, or the end of it
        sample: String,
        /// A new or empty folder
        dir: PathBuf,
        #[command(flatten)]
        asking: Asking,
    },
    /// All samples, the newest first, with their draws
    #[command(after_help = "Example:\n  countersign log sample list --as ada -C books")]
    List {
        #[command(flatten)]
        asking: Asking,
    },
}

pub(crate) async fn sample(command: SampleCommand) -> anyhow::Result<Answer> {
    match command {
        SampleCommand::Commit { count, period, seed, asking } => {
            let (store, by) = asking.open().await?;
            let ask = SampleAsk { count, period: period.period(), seed: seed.map(|seed| seed.0) };
            let committed = store.commit_sample(&ask, &by, now()).await?;
            store.sign_log(now()).await?;
            match asking.output() {
                Output::Json => say!("{}", json!(committed)),
                Output::Words => {
                    say!("sample {}, committed to by entry {}", committed.sample, committed.index);
                    say!(
                        "{count} of the {} cases that the entries {} to {} admit",
                        committed.population,
                        committed.frame.first,
                        committed.frame.last
                    );
                    say!("seed {}", committed.seed);
                    eprintln!("the auditor keeps the seed and the newest head (`countersign log head`); draw it with");
                    eprintln!("  countersign log sample draw {} DIR --as USER", committed.sample);
                }
            }
            Ok(Answer::Good)
        }
        SampleCommand::Draw { sample, dir, asking } => {
            let (store, by) = asking.open().await?;
            let bar = progress("cases");
            let show = |case: &case::Case, history: &[store::Happening]| super::cases::shown(case, &json!(history));
            let drawn = store.draw_sample(&sample, &dir, &show, &by, now(), &mut advancing(&bar)).await?;
            bar.finish_and_clear();
            match asking.output() {
                Output::Json => say!("{}", json!(drawn)),
                Output::Words => {
                    say!("{} of {} cases drawn by entry {}:", drawn.cases.len(), drawn.population, drawn.draw);
                    drawn.cases.iter().for_each(|case| say!("  {case}"));
                    say!("their evidence lies in {}", drawn.dir.display());
                    if !drawn.left_out.is_empty() {
                        say!("left out, because this account may not have it: {}", drawn.left_out.join(", "));
                    }
                    drawn.faults.iter().for_each(|fault| say!("FAULT {fault}"));
                }
            }
            Ok(if drawn.faults.is_empty() { Answer::Good } else { Answer::Bad })
        }
        SampleCommand::List { asking } => {
            let (store, by) = asking.open().await?;
            for sample in store.samples(&by, now()).await? {
                if asking.output() == Output::Json {
                    say!("{}", json!(sample));
                    continue;
                }
                match (&sample.committed, sample.frame) {
                    (Some(committed), Some(frame)) => say!(
                        "{}  {} cases of the entries {} to {}, committed by {} on {}, entry {}",
                        sample.sample,
                        frame.count,
                        frame.first,
                        frame.last,
                        committed.by,
                        committed.sealed,
                        committed.index
                    ),
                    _ => say!("{}  not sealed yet", sample.sample),
                }
                let drawn = sample.drawn.iter().map(|it| ("drawn", it));
                for (what, it) in drawn.chain(sample.again.iter().map(|it| ("handed out again", it))) {
                    say!("  {what} by {} on {}, entry {}", it.by, it.sealed, it.index);
                }
            }
            Ok(Answer::Good)
        }
    }
}
