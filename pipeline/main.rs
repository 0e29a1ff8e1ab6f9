//! The front door: the command line. It opens rooms and prints what they say; nothing is decided here.

mod front;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use front::{Answer, Mistake, Output};
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use work::PolicyError;

/// Reads, checks, matches and files every invoice and contract, and pauses where your policy says a person must see it.
#[derive(Parser)]
#[command(name = "countersign", version, propagate_version = true, arg_required_else_help = true)]
#[command(
    after_help = "A first look, with documents it makes itself:\n  countersign demo\n\nEvery command explains itself: countersign COMMAND --help"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a workspace with generated documents and run it
    #[command(after_help = "Example:\n  countersign demo --once")]
    Demo {
        /// The workspace to make
        #[arg(long, default_value = "countersign-demo")]
        dir: PathBuf,
        /// Port of the review pages, on this machine only; 0 takes a free one
        #[arg(long, default_value_t = 8484)]
        port: u16,
        /// End when nothing moves any more
        #[arg(long)]
        once: bool,
    },
    /// Make an empty workspace: countersign.toml, policies/, inbox/, data/, and keys outside data/
    #[command(
        after_help = "Example:\n  countersign init books && countersign account add --name admin --role admin -C books"
    )]
    Init {
        /// The folder to make it in
        dir: PathBuf,
        /// Who keeps the key file: file, credential or passphrase; the others are for `countersign keys protect`
        #[arg(long, value_parser = front::keys::custodian, default_value = "file")]
        by: store::Custodian,
    },
    /// The main job: watch, read, check, match, hold, post, and serve the review pages
    #[command(after_help = "Example:\n  countersign run -C books")]
    Run {
        #[command(flatten)]
        at: At,
        /// Until nothing moves, then end with a summary
        #[arg(long)]
        once: bool,
    },
    /// What is read from each file, with evidence; no workspace needed
    #[command(after_help = "Example:\n  countersign extract invoice.pdf --json")]
    Extract {
        /// Invoices, contracts and whatever else is read
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// JSON lines on standard output, and nothing else
        #[arg(long)]
        json: bool,
    },
    /// What is wrong with each file by itself; no workspace needed
    #[command(after_help = "Example:\n  countersign validate invoice.xml")]
    Validate {
        /// Invoices, contracts and whatever else is read
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// JSON lines on standard output, and nothing else
        #[arg(long)]
        json: bool,
    },
    /// Bring in vendors, orders, receipts and whatever else invoices are compared with, from CSV, XLSX or JSON
    #[command(after_help = front::import::HELP)]
    Import {
        /// What the rows of the file are about
        kind: front::import::Kind,
        /// A file as `--help` explains it
        file: PathBuf,
        #[command(flatten)]
        at: At,
        /// The account that acts
        #[arg(long = "as", value_name = "USER")]
        user: String,
        /// JSON lines on standard output, and nothing else
        #[arg(long)]
        json: bool,
    },
    /// What is known of a vendor, an order or a contract, now or as it was known before; the ledger of an order
    #[command(
        subcommand,
        after_help = "Examples:\n  countersign facts show orders 4500017 --as rita -C books\n  countersign facts ledger 4500017 --as rita -C books"
    )]
    Facts(front::facts::FactsCommand),
    /// List cases, show one, or its history from the log
    #[command(
        subcommand,
        after_help = "Examples:\n  countersign case list --state InReview -C books\n  countersign case show 4f2a91 -C books"
    )]
    Case(front::cases::CaseCommand),
    /// Decide on a case
    #[command(
        subcommand,
        after_help = "Example:\n  countersign review approve 4f2a91 --as rita --reason 'agreed with the buyer' -C books"
    )]
    Review(front::cases::ReviewCommand),
    /// Payments with open bills, a vendor's statement with ours, credit notes that have not come
    #[command(
        subcommand,
        after_help = "Examples:\n  countersign reconcile payments --as olivia -C books\n  countersign reconcile credits --days 30 --as olivia -C books"
    )]
    Reconcile(front::reconcile::ReconcileCommand),
    /// The accounts that vendors are paid to, each confirmed by a second person
    #[command(
        subcommand,
        after_help = "Examples:\n  countersign payee list V1 --as rita -C books\n  countersign payee propose V1 'DE75 5121 0800 1245 1261 99' --as olivia -C books"
    )]
    Payee(front::payee::PayeeCommand),
    /// Check the policy files, try them on what was decided before, and let one through that is looser
    #[command(
        subcommand,
        after_help = "Examples:\n  countersign policy check -C books\n  countersign policy diff new-policies --over 2026-01..2026-06 --as rita -C books"
    )]
    Policy(front::policy::PolicyCommand),
    /// The audit log: its head, exports, receipts, reports and samples for auditors, a check
    #[command(
        subcommand,
        after_help = "Examples:\n  countersign log head -C books\n  countersign log export /mnt/auditor/2026-11 --as ada -C books"
    )]
    Log(front::log::LogCommand),
    /// What is due, held and erased, and what is kept about a person
    #[command(
        subcommand,
        after_help = "Examples:\n  countersign retention due -C books\n  countersign retention hold 4f2a91 --matter 'Smith v. Jones' --as lena --reason 'letter of the court' -C books"
    )]
    Retention(front::retention::RetentionCommand),
    /// The keys: who keeps them, and how they come back when they are lost
    #[command(
        subcommand,
        after_help = "Examples:\n  countersign keys status -C books\n  countersign keys rotate -C books --as root"
    )]
    Keys(front::keys::KeysCommand),
    /// Copy everything, sealed, while the service runs; the keys of the cases apart, and not for long
    #[command(after_help = front::backup::BACKUP_HELP)]
    Backup(front::backup::TakeArgs),
    /// Bring a backup back, into an empty database of either kind and an empty vault
    #[command(after_help = front::backup::RESTORE_HELP)]
    Restore(front::backup::RestoreArgs),
    /// Accounts that may sign in
    #[command(
        subcommand,
        after_help = "Examples:\n  countersign account add --name rita --role reviewer -C books\n  countersign account list -C books"
    )]
    Account(front::setup::AccountCommand),
    /// Compare cases with the log, balance the documents, test every seal
    #[command(
        after_help = "Example:\n  countersign check -C books --seals\n\nThe service may run. Each sealed file takes 64 KiB of the rate at least, for finding it."
    )]
    Check {
        #[command(flatten)]
        at: At,
        /// Open every sealed file too
        #[arg(long)]
        seals: bool,
        /// How many MiB of them in a second at most; 0 is as fast as it can
        #[arg(long, value_name = "MIB", default_value_t = 64, requires = "seals")]
        rate: u32,
        /// JSON lines on standard output, and nothing else
        #[arg(long)]
        json: bool,
    },
    /// What is installed, reachable and configured, and what is missing
    #[command(after_help = "Example:\n  countersign doctor -C books")]
    Doctor {
        #[command(flatten)]
        at: At,
        /// JSON lines on standard output, and nothing else
        #[arg(long)]
        json: bool,
    },
    /// Write generated documents and master data into a folder, for trials and benchmarks
    #[command(hide = true)]
    Generate {
        /// A new folder
        dir: PathBuf,
        #[arg(long, default_value_t = 200)]
        documents: usize,
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// The reader's own process; started by the program itself
    #[command(hide = true)]
    ConfinedReader {
        memory_bytes_max: u64,
        cpu_seconds_max: u64,
        document_bytes_max: u64,
        models: Option<PathBuf>,
        /// Pages that are pictures are handed out for another program
        #[arg(long)]
        hand_out: bool,
        /// The document comes with what that program said
        #[arg(long, conflicts_with_all = ["hand_out", "models"])]
        lay: bool,
    },
    /// Becomes Tesseract, locked in; started by the program itself
    #[command(hide = true)]
    ConfinedTesseract {
        memory_bytes_max: u64,
        cpu_seconds_max: u64,
        program: PathBuf,
        /// Lists them when absent
        languages: Option<String>,
    },
}

/// Which workspace.
#[derive(clap::Args, Clone)]
struct At {
    /// The workspace
    #[arg(id = "workspace", short = 'C', long = "workspace", value_name = "DIR", default_value = ".")]
    dir: PathBuf,
}

fn main() -> ExitCode {
    if let Err(err) = leave_no_core() {
        eprintln!("error: the memory of this program could end in a core dump: {err}");
        return ExitCode::from(3);
    }
    hand_nothing_on();
    let cli = Cli::parse();
    // Before anything else exists in this process: the reader locks itself in while it has one thread.
    if let Command::ConfinedTesseract { memory_bytes_max, cpu_seconds_max, program, languages } = cli.command {
        let limits = extract::Limits { memory_bytes_max, cpu_seconds_max, document_bytes_max: 0 };
        return extract::become_tesseract(limits, &program, languages.as_deref());
    }
    if let Command::ConfinedReader { memory_bytes_max, cpu_seconds_max, document_bytes_max, models, hand_out, lay } =
        cli.command
    {
        let stage = match (hand_out, lay) {
            (true, _) => extract::Stage::HandOut,
            (_, true) => extract::Stage::Lay,
            _ => extract::Stage::Read,
        };
        // Models are read while files can be opened; whoever waits for an answer sees that there is none.
        let Ok(models) = models.as_deref().map(front::read::models).transpose() else { return ExitCode::FAILURE };
        return extract::serve(
            extract::Limits { memory_bytes_max, cpu_seconds_max, document_bytes_max },
            models,
            stage,
        );
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(err) => {
            eprintln!("error: the program cannot start: {err}");
            return ExitCode::from(3);
        }
    };
    match runtime.block_on(run(cli.command)) {
        Ok(Answer::Good) => ExitCode::SUCCESS,
        Ok(Answer::Bad) => ExitCode::from(1),
        Ok(Answer::Misused) => ExitCode::from(2),
        Err(err) => {
            // Files and people wrote some of the words.
            let words: Vec<String> = format!("{err:#}").lines().map(front::cases::plain).collect();
            eprintln!("error: {}", words.join("\n"));
            ExitCode::from(exit(&err))
        }
    }
}

/// A refusal, what a file says, or that nothing of this name is known, is an answer; what is asked for in a way that cannot be
/// is wrong use; the rest is the world.
fn exit(err: &anyhow::Error) -> u8 {
    match err.downcast_ref::<Mistake>() {
        Some(Mistake::File(_)) => return 1,
        Some(Mistake::Use(_)) => return 2,
        None => {}
    }
    let policy = err.downcast_ref::<PolicyError>();
    if err.is::<case::PolicyMistake>() || matches!(policy, Some(PolicyError::Mistake(_))) {
        return 1;
    }
    match err.downcast_ref::<store::Error>() {
        Some(
            store::Error::Denied(_)
            | store::Error::Proposal(_)
            | store::Error::NoSuchCase { .. }
            | store::Error::NoSuch { .. },
        ) => 1,
        Some(
            store::Error::Ambiguous { .. }
            | store::Error::Exists { .. }
            | store::Error::TooLarge { .. }
            | store::Error::Unacceptable { .. },
        ) => 2,
        _ => 3,
    }
}

/// The memory of this program, which holds keys, goes to no core file, and to no program that the kernel hands cores to;
/// nobody but root attaches to it.
fn leave_no_core() -> std::io::Result<()> {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    setrlimit(Resource::Core, none)?;
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}

/// What was handed over open, as the descriptor of a passphrase is, stays open here, and in no program that this one starts:
/// whoever had it could read it once more.
fn hand_nothing_on() {
    close_fds::set_fds_cloexec(3, &[]);
}

async fn run(command: Command) -> anyhow::Result<Answer> {
    match command {
        Command::Demo { dir, port, once } => front::demo::demo(&dir, port, once).await,
        Command::Init { dir, by } => front::setup::init(&dir, by).await,
        Command::Run { at, once } => front::run::run(&at.dir, once).await,
        Command::Extract { files, json } => front::read::extract(&files, Output::of(json)).await,
        Command::Validate { files, json } => front::read::validate(&files, Output::of(json)).await,
        Command::Import { kind, file, at, user, json } => {
            front::import::import(kind, &file, &at.dir, &user, Output::of(json)).await
        }
        Command::Facts(command) => front::facts::facts(command).await,
        Command::Case(command) => front::cases::case(command).await,
        Command::Review(command) => front::cases::review(command).await,
        Command::Policy(command) => front::policy::policy(command).await,
        Command::Reconcile(command) => front::reconcile::reconcile(command).await,
        Command::Payee(command) => front::payee::payee(command).await,
        Command::Log(command) => front::log::log(command).await,
        Command::Retention(command) => front::retention::retention(command).await,
        Command::Keys(command) => front::keys::keys(command).await,
        Command::Backup(args) => front::backup::backup(args).await,
        Command::Restore(args) => front::backup::restore(args).await,
        Command::Account(command) => front::setup::account(command).await,
        Command::Check { at, seals, rate, json } => {
            front::log::check(&at.dir, seals.then_some(rate), Output::of(json)).await
        }
        Command::Doctor { at, json } => front::setup::doctor(&at.dir, Output::of(json)).await,
        Command::Generate { dir, documents, seed } => front::demo::generate(&dir, documents, seed),
        Command::ConfinedReader { .. } | Command::ConfinedTesseract { .. } => {
            unreachable!("handled before the runtime was built")
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_memory_of_this_program_goes_to_no_core_dump_and_to_no_program_that_takes_cores() {
        super::leave_no_core().expect("Linux lets every process do so");
        let limit = rustix::process::getrlimit(rustix::process::Resource::Core);
        assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
        let dumpable = rustix::process::dumpable_behavior();
        assert_eq!(dumpable, Ok(rustix::process::DumpableBehavior::NotDumpable));
    }

    #[test]
    fn a_refusal_and_what_is_not_known_is_an_answer_a_wrong_order_is_wrong_use_and_the_rest_is_the_world() {
        use case::ProposalRefusal::{Approved, Level, NotProposed};
        use store::Error;
        let name = || "x".to_owned();
        for (code, err) in [
            (1, Error::Proposal(Approved)),
            (1, Error::Proposal(NotProposed)),
            (1, Error::Proposal(Level { level: 2 })),
            (1, Error::NoSuchCase { id: name() }),
            (1, Error::NoSuch { what: "policy", name: name() }),
            (2, Error::Ambiguous { text: name(), n: 2 }),
            (2, Error::Exists { what: "account", name: name() }),
            (2, Error::TooLarge { what: "characters", size: 2, max: 1 }),
            (2, Error::Unacceptable { what: name() }),
            (3, Error::Row { what: name() }),
        ] {
            let shown = err.to_string();
            // What a command was about says nothing of whose fault it is.
            assert_eq!(super::exit(&anyhow::Error::from(err).context("about what")), code, "{shown}");
        }
    }

    #[test]
    fn every_command_is_well_formed_and_shows_an_example() {
        let mut cli = Cli::command();
        cli.build();
        cli.clone().debug_assert();
        let mut open = vec![&cli];
        while let Some(command) = open.pop() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let name = command.get_name();
            assert!(help.contains("countersign "), "`{name}` has no example");
            let unsaid = command.get_arguments().find(|it| !it.is_hide_set() && it.get_help().is_none());
            assert!(unsaid.is_none(), "`{name}` has {unsaid:?}, and not a word about it");
            // The terminal breaks paragraphs; the columns of `import` are laid out by hand.
            let lines: Vec<&str> = help.lines().collect();
            let words = |line: &str| !line.is_empty() && !line.starts_with(' ') && !line.ends_with(':');
            let broken = lines.windows(2).find(|it| it.iter().all(|line| words(line))).filter(|_| name != "import");
            assert_eq!(broken, None, "a paragraph of `{name}` is broken twice");
            open.extend(command.get_subcommands().filter(|it| !it.is_hide_set() && it.get_name() != "help"));
        }
    }
}
