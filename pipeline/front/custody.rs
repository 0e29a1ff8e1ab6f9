//! Whoever keeps the key file closed, asked as `[custody]` says: the environment, the terminal, a program, a server.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail, ensure};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use store::{Custodian, Lock, PASSWORD_CHARS_MIN, Sealing, Stretch, key_in, new_key};
use work::{Transit, TransitKey, key_of_command};

use super::workspace::{CustodySettings, TransitSettings};

/// What a file or an open descriptor may hold where one secret is expected.
const SECRET_BYTES_MAX: u64 = 4096;

/// Opens what says of itself that it is sealed so.
pub(crate) async fn unlock(settings: &CustodySettings, dir: &Path, sealing: Sealing) -> anyhow::Result<Lock> {
    let key = match &sealing {
        Sealing::Credential => credential(settings)?,
        Sealing::Passphrase(stretch) => {
            let passphrase = passphrase(settings, "Passphrase of the key file: ")?;
            let stretch = stretch.clone();
            tokio::task::spawn_blocking(move || stretch.key(&passphrase)).await?
        }
        Sealing::Command => command(settings).await?,
        Sealing::Transit { wrapped } => transit(settings, dir)?.unwrap(wrapped).await?,
        Sealing::Escrow(_) => bail!("it is the copy for the shares; `countersign keys recover` opens it"),
    };
    Ok(Lock { sealing, key })
}

/// What the key file is to be sealed with from here on; None for the plain one. A custodian that would not open it again
/// is refused.
pub(crate) async fn lock(settings: &CustodySettings, dir: &Path, by: Custodian) -> anyhow::Result<Option<Lock>> {
    let made = match by {
        Custodian::File => return Ok(None),
        Custodian::Credential => Lock { sealing: Sealing::Credential, key: credential(settings)? },
        Custodian::Passphrase => {
            let passphrase = passphrase(settings, "New passphrase of the key file: ")?;
            let (n, min) = (passphrase.expose_secret().chars().count(), PASSWORD_CHARS_MIN);
            ensure!(min <= n, "the passphrase has {n} characters, at least {min} are needed");
            let stretch = Stretch::new()?;
            let sealing = Sealing::Passphrase(stretch.clone());
            if settings.asks_at_terminal() {
                let again = rpassword::prompt_password("The same again: ").map(SecretString::from)?;
                ensure!(again.expose_secret() == passphrase.expose_secret(), "the two passphrases differ");
            }
            let key = tokio::task::spawn_blocking(move || stretch.key(&passphrase)).await?;
            return Ok(Some(Lock { sealing, key }));
        }
        Custodian::Command => Lock { sealing: Sealing::Command, key: command(settings).await? },
        Custodian::Transit => {
            let key = new_key()?;
            Lock { sealing: Sealing::Transit { wrapped: transit(settings, dir)?.wrap(&key).await? }, key }
        }
    };
    let again = unlock(settings, dir, made.sealing.clone()).await?;
    ensure!(made.opens_as(&again), "`{}` gave another key when it was asked a second time", by.name());
    Ok(Some(made))
}

impl CustodySettings {
    fn asks_at_terminal(&self) -> bool {
        std::env::var_os(&self.passphrase_variable).is_none() && self.passphrase_descriptor.is_none()
    }
}

fn credential(settings: &CustodySettings) -> anyhow::Result<SecretBox<[u8; 32]>> {
    let CustodySettings { credential, credential_variable, .. } = settings;
    ensure!(
        !credential.is_empty() && !credential.contains('/') && credential != "..",
        "`{credential}` is no name of a credential"
    );
    let handed_over = std::env::var_os("CREDENTIALS_DIRECTORY").map(|it| PathBuf::from(it).join(credential));
    let no_key = |from: &str| anyhow!("{from} holds no key: 64 hexadecimal digits, 44 letters of base64, or 32 bytes");
    if let Some(path) = handed_over.filter(|it| it.exists()) {
        return key_in(read_secret(&path)?.expose_secret()).ok_or_else(|| no_key(&format!("`{}`", path.display())));
    }
    match std::env::var(credential_variable).map(SecretString::from) {
        Ok(given) => {
            key_in(given.expose_secret().as_bytes()).ok_or_else(|| no_key(&format!("`{credential_variable}`")))
        }
        Err(_) => bail!(
            "no key was handed over: there is no credential `{credential}` of systemd (`LoadCredential=`), and the environment has no `{credential_variable}`"
        ),
    }
}

fn passphrase(settings: &CustodySettings, prompt: &str) -> anyhow::Result<SecretString> {
    let text = if let Ok(given) = std::env::var(&settings.passphrase_variable) {
        SecretString::from(given)
    } else if let Some(number) = settings.passphrase_descriptor {
        let bytes = read_secret(Path::new(&format!("/dev/fd/{number}")))?;
        SecretString::from(std::str::from_utf8(bytes.expose_secret()).context("the passphrase is no text")?)
    } else if io::stdin().is_terminal() || File::open("/dev/tty").is_ok() {
        rpassword::prompt_password(prompt).map(SecretString::from).context("no passphrase was typed")?
    } else {
        bail!(
            "there is no terminal to type the passphrase at; set `{}`, or name `passphrase_descriptor` under [custody]",
            settings.passphrase_variable
        )
    };
    Ok(text.expose_secret().trim_end_matches(['\r', '\n']).into())
}

async fn command(settings: &CustodySettings) -> anyhow::Result<SecretBox<[u8; 32]>> {
    ensure!(!settings.command.is_empty(), "name a program that prints the key: `command` under [custody]");
    Ok(key_of_command(&settings.command, settings.command_seconds_max).await?)
}

fn transit(settings: &CustodySettings, dir: &Path) -> anyhow::Result<Transit> {
    let Some(TransitSettings { url, mount, key, namespace, token_file, token_variable, seconds_max }) =
        &settings.transit
    else {
        bail!("say where Transit is: `transit` under [custody]")
    };
    let token = match token_file {
        Some(path) => {
            let bytes = read_secret(&dir.join(path))?;
            SecretString::from(std::str::from_utf8(bytes.expose_secret()).context("the token is no text")?)
        }
        None => match std::env::var(token_variable) {
            Ok(token) => token.into(),
            Err(_) => bail!("there is no token for Transit: set `{token_variable}`, or name `token_file`"),
        },
    };
    let at = TransitKey { url, mount, key, namespace: namespace.as_deref(), seconds_max: *seconds_max };
    Ok(Transit::new(at, &token)?)
}

fn read_secret(path: &Path) -> anyhow::Result<SecretBox<Vec<u8>>> {
    let cannot = || format!("cannot read `{}`", path.display());
    // Of its whole size from the start, so that it leaves no copy behind.
    let mut bytes = SecretBox::new(Box::new(Vec::with_capacity(SECRET_BYTES_MAX as usize + 1)));
    let into = secrecy::ExposeSecretMut::expose_secret_mut(&mut bytes);
    File::open(path).with_context(cannot)?.take(SECRET_BYTES_MAX + 1).read_to_end(into).with_context(cannot)?;
    let n = into.len() as u64;
    ensure!(
        n <= SECRET_BYTES_MAX,
        "`{}` has more than {SECRET_BYTES_MAX} bytes, it is to hold one secret",
        path.display()
    );
    Ok(bytes)
}
