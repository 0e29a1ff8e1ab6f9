//! The names of the files in a bucket, as its server lists them.

use std::collections::VecDeque;
use std::io;

use object_store::ObjectMeta;
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use uuid::Uuid;

use super::super::super::VaultError;
use super::super::id_of;
use super::Link;

/// A store may answer with no names and say that there are more; not so often in a row.
const EMPTY_PAGES_MAX: u32 = 100;

/// One page of names at a time.
pub(super) struct Listing<'a> {
    link: &'a Link,
    page: VecDeque<ObjectMeta>,
    token: Option<String>,
    /// In a row.
    empty_pages: u32,
    last: Option<String>,
    ended: bool,
}

impl<'a> Listing<'a> {
    pub(super) fn new(link: &'a Link) -> Listing<'a> {
        Listing { link, page: VecDeque::new(), token: None, empty_pages: 0, last: None, ended: false }
    }

    /// An error is the last that comes.
    fn broken(&mut self, text: String) -> Option<Result<Uuid, VaultError>> {
        (self.ended, self.page) = (true, VecDeque::new());
        Some(Err(self.link.said_at("list", "", io::ErrorKind::InvalidData, text)))
    }
}

impl Iterator for Listing<'_> {
    type Item = Result<Uuid, VaultError>;

    fn next(&mut self) -> Option<Result<Uuid, VaultError>> {
        while self.page.is_empty() {
            if self.ended {
                return None;
            }
            let asked = self.token.take();
            let options = PaginatedListOptions { page_token: asked.clone(), ..PaginatedListOptions::default() };
            let page = self.link.wait(self.link.server.list_paginated(Some(&self.link.prefix), options));
            let page = match page {
                Ok(page) => page,
                Err(error) => {
                    self.ended = true;
                    return Some(Err(self.link.failed_at("list", "", &error)));
                }
            };
            self.token = page.page_token;
            self.page = page.result.objects.into();
            self.ended = self.token.is_none();
            if self.ended || !self.page.is_empty() {
                self.empty_pages = 0;
                continue;
            }
            // An end that nobody said would pass for files that are not there.
            self.empty_pages += 1;
            if self.token == asked {
                return self
                    .broken("the server sent a page without names, and the same page is to come next".to_owned());
            }
            if EMPTY_PAGES_MAX < self.empty_pages {
                let n = self.empty_pages;
                return self.broken(format!(
                    "the server sent {n} pages without names in a row and says there are more, at most {EMPTY_PAGES_MAX} are followed"
                ));
            }
        }
        let name = self.page.pop_front()?.location.to_string();
        // Whatever the server says, the list comes to an end.
        if self.last.as_ref().is_some_and(|last| name <= *last) {
            return self.broken("the server lists out of order".to_owned());
        }
        let id = name.strip_prefix(&self.link.prefix).and_then(id_of);
        let stray = || VaultError::Stray { path: format!("s3://{}/{name}", self.link.bucket).into() };
        let found = id.ok_or_else(stray);
        self.last = Some(name);
        Some(found)
    }
}
