//! With which keys requests to a bucket are signed.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use object_store::CredentialProvider;
use object_store::aws::AwsCredential;
use zeroize::Zeroizing;

const FILE_BYTES_MAX: u64 = 64 << 10;

/// The environment's are read once, for it does not change; a file is read for each request, so that keys which somebody
/// renews need no new start.
pub(super) enum Credentials {
    Environment(Arc<AwsCredential>),
    File(PathBuf),
}

impl Credentials {
    pub(super) fn find(
        file: Option<&Path>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Credentials, Unusable> {
        if let Some(path) = file {
            read(path)?;
            return Ok(Credentials::File(path.to_owned()));
        }
        let given = |name| environment(name).filter(|value| !value.is_empty());
        match (given("AWS_ACCESS_KEY_ID"), given("AWS_SECRET_ACCESS_KEY")) {
            (Some(key_id), Some(secret_key)) => {
                let token = given("AWS_SESSION_TOKEN");
                Ok(Credentials::Environment(Arc::new(AwsCredential { key_id, secret_key, token })))
            }
            _ => Err(Unusable(
                "there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a file with `credentials` under [vault]".to_owned(),
            )),
        }
    }

    fn get(&self) -> Result<Arc<AwsCredential>, Unusable> {
        match self {
            Credentials::Environment(credential) => Ok(credential.clone()),
            Credentials::File(path) => read(path).map(Arc::new),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}

type Answer<'a> = Pin<Box<dyn Future<Output = object_store::Result<Arc<AwsCredential>>> + Send + 'a>>;

impl CredentialProvider for Credentials {
    type Credential = AwsCredential;

    fn get_credential<'a, 'b>(&'a self) -> Answer<'b>
    where
        'a: 'b,
    {
        let failed = |unusable| object_store::Error::Generic { store: "S3", source: Box::new(unusable) };
        Box::pin(std::future::ready(self.get().map_err(failed)))
    }
}

/// Why something cannot be used, and what to do.
#[derive(Debug)]
pub(super) struct Unusable(pub(super) String);

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unusable {}

/// The section `[default]` of a file as the programs of AWS write it. Nobody but its owner may read or write it.
fn read(path: &Path) -> Result<AwsCredential, Unusable> {
    let unusable = |why: &str| Unusable(format!("the credentials `{}` cannot be used: {why}", path.display()));
    let io = |error: std::io::Error| unusable(&error.to_string());
    let found = std::fs::metadata(path).map_err(io)?;
    if !found.is_file() {
        return Err(unusable("it is no file"));
    }
    let mode = found.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(unusable(&format!("others may read or write it: its mode is {mode:04o}, make it 0600")));
    }
    let mut text = Zeroizing::new(String::with_capacity(FILE_BYTES_MAX as usize + 1));
    let file = File::open(path).map_err(io)?;
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(io)?;
    if FILE_BYTES_MAX < text.len() as u64 {
        return Err(unusable(&format!("it is longer than {FILE_BYTES_MAX} bytes")));
    }
    let mut section = "default";
    let (mut key_id, mut secret_key, mut token) = (None, None, None);
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.trim();
        }
        let Some((name, value)) = line.split_once('=').filter(|_| section == "default") else { continue };
        let value = Some(value.trim()).filter(|it| !it.is_empty()).map(str::to_owned);
        match name.trim() {
            "aws_access_key_id" => key_id = value,
            "aws_secret_access_key" => secret_key = value,
            "aws_session_token" => token = value,
            _ => {}
        }
    }
    match (key_id, secret_key) {
        (Some(key_id), Some(secret_key)) => Ok(AwsCredential { key_id, secret_key, token }),
        _ => Err(unusable("it must say `aws_access_key_id = …` and `aws_secret_access_key = …` under [default]")),
    }
}
