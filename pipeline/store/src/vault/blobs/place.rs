//! Where sealed files are to lie, as the settings say.

use std::path::PathBuf;

use reqwest::Url;

/// A folder, or a bucket.
#[derive(Clone, Debug)]
pub enum BlobPlace {
    /// Its parent is there; the folder itself is made.
    Folder(PathBuf),
    Bucket(BucketPlace),
}

/// A bucket of a store that speaks S3 and honours conditional writes (`If-None-Match: *`).
#[derive(Clone, Debug)]
pub struct BucketPlace {
    /// `s3://bucket` or `s3://bucket/prefix`. The bucket is there.
    pub url: String,
    /// `https://host` or `https://host:port`; Amazon's for the region when absent.
    pub endpoint: Option<String>,
    pub region: String,
    /// A file of AWS credentials, read anew for each request; the environment's when absent.
    pub credentials: Option<PathBuf>,
    /// Is `http://` allowed to another machine than this? Whoever is on the way can then remove files in our name.
    pub plain_http: bool,
    /// A folder on this machine for what is being written; its parent is there.
    pub staging: PathBuf,
}

const PREFIX_BYTES_MAX: usize = 512;

impl BucketPlace {
    /// The bucket, and the prefix without slashes around it.
    pub(super) fn parse(&self) -> Result<(&str, &str), &'static str> {
        let rest = self.url.strip_prefix("s3://").ok_or("it must be s3://bucket or s3://bucket/prefix")?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.trim_end_matches('/');
        let bucket_is_fine = (3..=63).contains(&bucket.len())
            && bucket.bytes().all(|c| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.'));
        if !bucket_is_fine {
            return Err("a bucket's name has 3 to 63 small letters, digits, hyphens and dots");
        }
        let fine = |part: &str| {
            let letters = part.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.'));
            letters && !matches!(part, "" | "." | "..")
        };
        if PREFIX_BYTES_MAX < prefix.len() || !prefix.is_empty() && !prefix.split('/').all(fine) {
            return Err(
                "a prefix has up to 512 letters, digits, hyphens, underscores and dots, between single slashes",
            );
        }
        Ok((bucket, prefix))
    }

    /// Is the server to be asked by plain HTTP, and may it?
    pub(super) fn plain_http(&self) -> Result<bool, &'static str> {
        let Some(endpoint) = &self.endpoint else { return Ok(false) };
        let url = Url::parse(endpoint).map_err(|_| "`endpoint` must be https://host or https://host:port")?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        if !bare || !url.username().is_empty() || url.password().is_some() {
            return Err("`endpoint` must be https://host or https://host:port, with nothing before or after");
        }
        match (url.scheme(), url.host_str()) {
            ("https", Some(_)) => Ok(false),
            ("http", Some(host)) if self.plain_http || loopback(host) => Ok(true),
            ("http", Some(_)) => Err(
                "`endpoint` is plain HTTP to another machine, where whoever is on the way can read along and remove files: use https://, or say `plain_http = true`",
            ),
            _ => Err("`endpoint` must be https://host or https://host:port"),
        }
    }

    /// For errors: who writes credentials into a URL does not find them in a log.
    pub(super) fn shown(&self) -> &str {
        if self.parse().is_ok() { &self.url } else { "s3://…" }
    }
}

fn loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|it| it.is_loopback())
}
