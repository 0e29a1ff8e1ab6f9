//! Those outside who keep the key file closed: a program that prints a key, and the engine Transit. Both are believed
//! nothing: what they give opens the key file, or it does not.

mod transit;

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use reqwest::StatusCode;
use secrecy::SecretBox;
use store::key_in;
use thiserror::Error;
use tokio::io::AsyncReadExt;
use tokio::process::Command;
use zeroize::Zeroizing;

pub use transit::{Transit, TransitKey};

/// How long a program that prints a key may take, where nothing else is said: a person may have to touch a token.
pub const KEY_COMMAND_SECONDS: u64 = 60;
/// 64 digits, and white space around them.
const PRINTED_BYTES_MAX: usize = 256;

/// Why there is no key. Never with what was printed or answered in place of one.
#[derive(Debug, Error)]
pub enum CustodyError {
    #[error("no program is named that prints the key")]
    NoProgram,
    #[error("`{program}` cannot be started")]
    Start { program: String, source: io::Error },
    #[error("`{program}` gave no key within {seconds} seconds")]
    Slow { program: String, seconds: u64 },
    #[error("`{program}` ended with {status}")]
    Ended { program: String, status: ExitStatus },
    #[error("`{program}` printed more than {max} bytes, a key is 64 hexadecimal digits")]
    TooMuch { program: String, max: usize },
    #[error("`{program}` printed no key: 64 hexadecimal digits, 44 letters of base64, or 32 bytes")]
    NoKey { program: String },
    #[error("cannot read what `{program}` prints")]
    Read { program: String, source: io::Error },
    #[error("`{url}` is no address for keys: it must begin with https://, or with http:// on this machine")]
    Url { url: String },
    #[error("the {what} `{name}` of Transit may have letters, digits and `-`, `_`, `.`, and be no longer than {max}")]
    Name { what: &'static str, name: String, max: usize },
    #[error("the token for `{url}` cannot be sent: it is empty, or has other than printed characters")]
    Token { url: String },
    #[error("no HTTP client")]
    Client(#[source] reqwest::Error),
    #[error("`{url}` was not reached, or took longer than {seconds} seconds")]
    Unreached { url: String, seconds: u64, source: reqwest::Error },
    #[error("`{url}` refused with {status}{}: {said}", hint(*.status))]
    Refused { url: String, status: StatusCode, said: String },
    #[error("`{url}` answered more than {max} bytes")]
    LongAnswer { url: String, max: usize },
    #[error("`{url}` answered without {what}")]
    Answer { url: String, what: &'static str },
}

fn hint(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST => " (the key may not be there)",
        StatusCode::FORBIDDEN => " (the token is not allowed to, or has expired)",
        StatusCode::NOT_FOUND => " (there is no such engine)",
        StatusCode::SERVICE_UNAVAILABLE => " (it is sealed, or down)",
        _ => "",
    }
}

/// Runs a program, with its arguments and no shell, and takes the key that it prints. What it says on standard error is
/// for the person at the terminal; it is asked nothing.
pub async fn key_of_command(command: &[String], seconds_max: u64) -> Result<SecretBox<[u8; 32]>, CustodyError> {
    let (program, arguments) = command.split_first().ok_or(CustodyError::NoProgram)?;
    let named = || program.clone();
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|source| CustodyError::Start { program: named(), source })?;
    // Of its whole size from the start, so that it leaves no copy behind.
    let mut printed = Zeroizing::new(Vec::with_capacity(PRINTED_BYTES_MAX + 1));
    let mut stdout = child.stdout.take().expect("it is piped").take(PRINTED_BYTES_MAX as u64 + 1);
    let answer = async {
        while 0 < stdout.read_buf(&mut *printed).await? && printed.len() <= PRINTED_BYTES_MAX {}
        if PRINTED_BYTES_MAX < printed.len() {
            return Ok(None);
        }
        child.wait().await.map(Some)
    };
    let slow = |_| CustodyError::Slow { program: named(), seconds: seconds_max };
    let status = tokio::time::timeout(Duration::from_secs(seconds_max), answer).await.map_err(slow)?;
    match status.map_err(|source| CustodyError::Read { program: named(), source })? {
        None => Err(CustodyError::TooMuch { program: named(), max: PRINTED_BYTES_MAX }),
        Some(status) if !status.success() => Err(CustodyError::Ended { program: named(), status }),
        Some(_) => key_in(&printed).ok_or(CustodyError::NoKey { program: named() }),
    }
}
