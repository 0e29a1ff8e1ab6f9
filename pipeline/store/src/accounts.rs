//! Who may sign in. Passwords are argon2id; sessions and one-time links are random, and only their digests are kept.

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use audit::Act;
use case::{Actor, ActorKind, Deed, Digest, Role, Scope, Timestamp};
use serde::{Deserialize, Serialize};

use crate::db::{Arg, Row};
use crate::log::Draft;
use crate::{Error, Store, boxed, vault};

pub const PASSWORD_CHARS_MIN: usize = 12;
const PASSWORD_CHARS_MAX: usize = 256;
const NAME_CHARS_MAX: usize = 100;
/// After so many failures in a row an account waits, twice as long each time, up to an hour.
const FAILURES_FREE: i64 = 5;
const LOCK_MICROS_MAX: i64 = 3_600_000_000;
pub const SESSION_HOURS: u32 = 10;
const LINK_HOURS: u32 = 24;

/// An account as an administrator sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Account {
    /// The pseudonym that stands in the log.
    pub id: String,
    pub name: String,
    pub roles: Vec<Role>,
    pub level: u8,
}

#[derive(Clone, Debug)]
pub struct NewAccount {
    pub name: String,
    /// Absent: only a one-time link can sign in.
    pub password: Option<String>,
    pub roles: Vec<Role>,
    /// 1 or 2.
    pub level: u8,
}

/// What a browser keeps; shown once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token(pub String);

/// How signing in went.
#[derive(Clone, Debug)]
pub enum SignIn {
    Open {
        token: Token,
        actor: Actor,
    },
    /// Name or password is wrong; which one is not said.
    Wrong,
    /// Too many failures: not before then.
    Wait {
        until: Timestamp,
    },
}

/// What is sealed with an account: its columns again, so that whoever edits them in the database is noticed.
#[derive(Serialize, Deserialize)]
struct Person {
    name: String,
    roles: String,
    level: i64,
    password: String,
    #[serde(default)]
    scope: Option<Scope>,
}

/// The columns that [`Store::account`] reads, in its order.
macro_rules! account_columns {
    () => {
        "accounts.account_id, roles, level, password, body"
    };
}

impl Store {
    /// `by` is `None` only for the first accounts of a workspace, which the person at the machine makes.
    #[boxed]
    pub async fn create_account(&self, new: NewAccount, by: Option<&Actor>, now: Timestamp) -> Result<Account, Error> {
        if let Some(by) = by {
            self.authorize(by, Deed::ManageAccounts, now).await?;
        }
        let name = new.name.trim().to_owned();
        let chars = name.chars().count();
        if chars == 0 {
            return Err(Error::Unacceptable { what: "the name is empty".to_owned() });
        }
        if NAME_CHARS_MAX < chars {
            return Err(Error::TooLarge { what: "characters of the account name", size: chars, max: NAME_CHARS_MAX });
        }
        if name.chars().any(char::is_control) {
            return Err(Error::Unacceptable { what: "the account name holds control characters".to_owned() });
        }
        if !(1..=2).contains(&new.level) || new.roles.is_empty() {
            return Err(Error::Unacceptable {
                what: "an account needs at least one role, and a level of 1 or 2".to_owned(),
            });
        }
        let password = match new.password {
            None => String::new(),
            Some(password) => {
                let chars = password.chars().count();
                if !(PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&chars) {
                    let what = format!(
                        "the password has {chars} characters; {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} are needed"
                    );
                    return Err(Error::Unacceptable { what });
                }
                self.hashing(move || hashed(&password)).await??
            }
        };
        let account = Account { id: format!("usr_{}", random_hex::<8>()?), name, roles: new.roles, level: new.level };
        let name_key = self.name_key(&account.name);
        let roles = account.roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(" ");
        let person = Person {
            name: account.name.clone(),
            roles: roles.clone(),
            level: account.level.into(),
            password: password.clone(),
            scope: None,
        };
        let body = self.seal_json(&context(&account.id), &person)?;
        let system = Actor::system("setup");
        let mut entry = Draft::new(Act::AccountCreate, by.unwrap_or(&system)).about("account", &account.id);
        entry.tell("roles", &roles);
        entry.hide("name", account.name.clone());
        let mut tx = self.db.begin().await?;
        let new = tx
            .execute(
                "INSERT INTO accounts (account_id, name_key, password, roles, level, failures, locked_until, body)
                 VALUES ($1, $2, $3, $4, $5, 0, 0, $6) ON CONFLICT (name_key) DO NOTHING",
                &[
                    Arg::Text(&account.id),
                    Arg::Bytes(&name_key),
                    Arg::Text(&password),
                    Arg::Text(&roles),
                    Arg::Int(account.level.into()),
                    Arg::Bytes(&body),
                ],
            )
            .await?;
        if new == 0 {
            return Err(Error::Exists { what: "an account named", name: account.name });
        }
        self.write_entry(&mut tx, entry, now).await?;
        tx.commit().await?;
        self.bell.notify_one();
        Ok(account)
    }

    /// Limits what an auditor may find, open and prove to the cases that arrived in this period; `None` limits nothing.
    #[boxed]
    pub async fn set_scope(
        &self,
        name: &str,
        scope: Option<Scope>,
        by: Option<&Actor>,
        now: Timestamp,
    ) -> Result<(), Error> {
        if let Some(by) = by {
            self.authorize(by, Deed::ManageAccounts, now).await?;
        }
        if let Some(Scope { from, to }) = scope
            && to < from
        {
            return Err(Error::Unacceptable { what: format!("the scope ends on {to}, before it begins on {from}") });
        }
        let name_key = self.name_key(name);
        let mut tx = self.db.begin().await?;
        let row = tx.row("SELECT account_id, body FROM accounts WHERE name_key = $1", &[Arg::Bytes(&name_key)]).await?;
        let row = row.ok_or_else(|| Error::NoSuch { what: "account", name: name.to_owned() })?;
        let id = row.text(0)?.to_owned();
        let person: Person = self.open_json(&context(&id), row.bytes(1)?)?;
        let audits = person.roles.split_whitespace().any(|role| role == Role::Auditor.name());
        if scope.is_some() && !audits {
            let what = format!("`{name}` is no auditor: a scope limits what an auditor may see, and nobody else");
            return Err(Error::Unacceptable { what });
        }
        let system = Actor::system("setup");
        let mut entry = Draft::new(Act::AccountChange, by.unwrap_or(&system)).about("account", &id);
        entry.tell("roles", &person.roles);
        entry.tell("scope", scope.map_or("none".to_owned(), |scope| format!("{} to {}", scope.from, scope.to)));
        let body = self.seal_json(&context(&id), &Person { scope, ..person })?;
        tx.execute("UPDATE accounts SET body = $1 WHERE account_id = $2", &[Arg::Bytes(&body), Arg::Text(&id)]).await?;
        self.write_entry(&mut tx, entry, now).await?;
        tx.commit().await?;
        self.bell.notify_one();
        Ok(())
    }

    /// The scope of the account with this id.
    pub(crate) async fn scope(&self, id: &str) -> Result<Option<Scope>, Error> {
        let row = self.db.row("SELECT body FROM accounts WHERE account_id = $1", &[Arg::Text(id)]).await?;
        let Some(row) = row else { return Ok(None) };
        let person: Person = self.open_json(&context(id), row.bytes(0)?)?;
        Ok(person.scope)
    }

    #[boxed]
    pub async fn accounts(&self) -> Result<Vec<Account>, Error> {
        let rows =
            self.db.rows(concat!("SELECT ", account_columns!(), " FROM accounts ORDER BY account_id"), &[]).await?;
        rows.iter()
            .map(|row| {
                let (actor, name) = self.account(row)?;
                Ok(Account { id: actor.id, name, roles: actor.roles, level: actor.level })
            })
            .collect()
    }

    /// The person of this name, for the command line, where whoever can read the keys acts in their own name.
    #[boxed]
    pub async fn person(&self, name: &str) -> Result<Actor, Error> {
        let sql = concat!("SELECT ", account_columns!(), " FROM accounts WHERE name_key = $1");
        let row = self.db.row(sql, &[Arg::Bytes(&self.name_key(name))]).await?;
        let row = row.ok_or_else(|| Error::NoSuch { what: "account", name: name.to_owned() })?;
        Ok(self.account(&row)?.0)
    }

    #[boxed]
    pub async fn sign_in(&self, name: &str, password: &str, address: &str, now: Timestamp) -> Result<SignIn, Error> {
        let sql = concat!("SELECT ", account_columns!(), ", failures, locked_until FROM accounts WHERE name_key = $1");
        let row = self.db.row(sql, &[Arg::Bytes(&self.name_key(name))]).await?;
        // An unknown name costs as much time as a wrong password.
        let stored = match &row {
            Some(row) if !row.text(3)?.is_empty() => row.text(3)?.to_owned(),
            _ => DECOY.to_owned(),
        };
        if let Some(row) = &row
            && now.0 < row.int(6)?
        {
            return Ok(SignIn::Wait { until: Timestamp(row.int(6)?) });
        }
        let given: String = password.chars().take(PASSWORD_CHARS_MAX + 1).collect();
        let right = self.hashing(move || verified(&given, &stored)).await?;
        let Some(row) = row.filter(|_| right) else {
            return self.sign_in_failed(name, address, now).await;
        };
        let (actor, _) = self.account(&row)?;
        let mut tx = self.db.begin().await?;
        tx.execute("UPDATE accounts SET failures = 0, locked_until = 0 WHERE account_id = $1", &[Arg::Text(&actor.id)])
            .await?;
        let token = self.open_session(&mut tx, &actor, "password", address, now).await?;
        tx.commit().await?;
        self.bell.notify_one();
        Ok(SignIn::Open { token, actor })
    }

    async fn sign_in_failed(&self, name: &str, address: &str, now: Timestamp) -> Result<SignIn, Error> {
        let name_key = self.name_key(name);
        let mut entry = Draft::new(Act::SessionDenied, &Actor::system("sign-in"));
        entry.res = audit::Outcome::Denied;
        entry.tell("cause", "name or password");
        entry.hide("name", name.chars().take(NAME_CHARS_MAX).collect::<String>());
        entry.hide("address", address.to_owned());
        let mut tx = self.db.begin().await?;
        let sql = "UPDATE accounts SET failures = failures + 1 WHERE name_key = $1 RETURNING failures";
        if let Some(row) = tx.row(sql, &[Arg::Bytes(&name_key)]).await? {
            let over = row.int(0)? - FAILURES_FREE;
            if 0 <= over {
                let wait = LOCK_MICROS_MAX.min(1_000_000 << over.min(12));
                let args = [Arg::Int(now.0 + wait), Arg::Bytes(&name_key)];
                tx.execute("UPDATE accounts SET locked_until = $1 WHERE name_key = $2", &args).await?;
            }
        }
        self.write_entry(&mut tx, entry, now).await?;
        tx.commit().await?;
        self.bell.notify_one();
        Ok(SignIn::Wrong)
    }

    async fn open_session(
        &self,
        tx: &mut crate::db::Tx,
        actor: &Actor,
        method: &str,
        address: &str,
        now: Timestamp,
    ) -> Result<Token, Error> {
        let token = Token(random_hex::<32>()?);
        tx.execute("DELETE FROM sessions WHERE expires_at < $1", &[Arg::Int(now.0)]).await?;
        self.write_session(tx, &token, &actor.id, false, now.plus_hours(SESSION_HOURS)).await?;
        let mut entry = Draft::new(Act::SessionOpen, actor);
        entry.tell("method", method);
        entry.hide("address", address.to_owned());
        self.write_entry(tx, entry, now).await?;
        Ok(token)
    }

    /// Who holds this session; `None` when it is unknown, ended or too old.
    #[boxed]
    pub async fn session(&self, token: &Token, now: Timestamp) -> Result<Option<Actor>, Error> {
        let sql = concat!(
            "SELECT ",
            account_columns!(),
            ", expires_at, mac FROM sessions JOIN accounts ON accounts.account_id = sessions.account_id
             WHERE token_digest = $1 AND link = 0 AND $2 <= expires_at"
        );
        let row = self.db.row(sql, &[Arg::Bytes(&token.digest()), Arg::Int(now.0)]).await?;
        let Some(row) = row else { return Ok(None) };
        let (actor, _) = self.account(&row)?;
        let genuine = self.session_mac(token, &actor.id, false, row.int(5)?) == row.bytes(6)?;
        Ok(genuine.then_some(actor))
    }

    async fn write_session(
        &self,
        tx: &mut crate::db::Tx,
        token: &Token,
        account: &str,
        link: bool,
        until: Timestamp,
    ) -> Result<(), Error> {
        tx.execute(
            "INSERT INTO sessions (token_digest, account_id, link, expires_at, mac) VALUES ($1, $2, $3, $4, $5)",
            &[
                Arg::Bytes(&token.digest()),
                Arg::Text(account),
                Arg::Int(link.into()),
                Arg::Int(until.0),
                Arg::Bytes(&self.session_mac(token, account, link, until.0)),
            ],
        )
        .await?;
        Ok(())
    }

    /// INVARIANT (nobody signs in by writing to the database): a row of another account, or a longer one, needs the key.
    fn session_mac(&self, token: &Token, account: &str, link: bool, until: i64) -> [u8; 32] {
        self.keys.blind("session", &format!("{}\n{account}\n{link}\n{until}", token.0))
    }

    #[boxed]
    pub async fn sign_out(&self, token: &Token, actor: &Actor, now: Timestamp) -> Result<(), Error> {
        let mut entry = Draft::new(Act::SessionClose, actor);
        entry.tell("cause", "signed out");
        let mut tx = self.db.begin().await?;
        let ended = tx.execute("DELETE FROM sessions WHERE token_digest = $1", &[Arg::Bytes(&token.digest())]).await?;
        if 0 < ended {
            self.write_entry(&mut tx, entry, now).await?;
        }
        tx.commit().await?;
        self.bell.notify_one();
        Ok(())
    }

    /// A link that signs this account in once.
    #[boxed]
    pub async fn one_time_link(&self, account: &str, now: Timestamp) -> Result<Token, Error> {
        let token = Token(random_hex::<32>()?);
        let mut tx = self.db.begin().await?;
        self.write_session(&mut tx, &token, account, true, now.plus_hours(LINK_HOURS)).await?;
        let entry = Draft::new(Act::SessionLink, &Actor::system("setup")).about("account", account);
        self.write_entry(&mut tx, entry, now).await?;
        tx.commit().await?;
        self.bell.notify_one();
        Ok(token)
    }

    /// Uses a one-time link up; `None` when it was used, is too old or never was.
    #[boxed]
    pub async fn sign_in_by_link(
        &self,
        link: &Token,
        address: &str,
        now: Timestamp,
    ) -> Result<Option<(Token, Actor)>, Error> {
        let mut tx = self.db.begin().await?;
        let used = tx
            .row(
                "DELETE FROM sessions WHERE token_digest = $1 AND link = 1 AND $2 <= expires_at
                 RETURNING account_id, expires_at, mac",
                &[Arg::Bytes(&link.digest()), Arg::Int(now.0)],
            )
            .await?;
        let Some(used) = used else { return Ok(None) };
        if self.session_mac(link, used.text(0)?, true, used.int(1)?) != used.bytes(2)? {
            return Ok(None);
        }
        let sql = concat!("SELECT ", account_columns!(), " FROM accounts WHERE account_id = $1");
        let row = tx.row(sql, &[Arg::Text(used.text(0)?)]).await?;
        let Some(row) = row else { return Ok(None) };
        let (actor, _) = self.account(&row)?;
        let token = self.open_session(&mut tx, &actor, "one-time link", address, now).await?;
        tx.commit().await?;
        self.bell.notify_one();
        Ok(Some((token, actor)))
    }

    /// Who this is, and their name. A row that does not say what was sealed with it was edited from outside.
    fn account(&self, row: &Row) -> Result<(Actor, String), Error> {
        let id = row.text(0)?;
        let person: Person = self.open_json(&context(id), row.bytes(4)?)?;
        if person.roles != row.text(1)? || person.level != row.int(2)? || person.password != row.text(3)? {
            let what = format!("the account {id} was changed by somebody who is not this program; it is refused");
            return Err(Error::Row { what });
        }
        let roles = person.roles.split_whitespace().map(Role::named).collect::<Option<Vec<_>>>();
        let unknown = || Error::Row { what: format!("the account {id} has a role that this program does not know") };
        let level = u8::try_from(person.level).unwrap_or(0);
        let actor = Actor { id: id.to_owned(), kind: ActorKind::User, roles: roles.ok_or_else(unknown)?, level };
        Ok((actor, person.name))
    }

    /// A hash takes 19 MiB and a processor for a while: whoever floods the sign-in waits in line, and nobody else does.
    async fn hashing<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        let turn = self.hashers.acquire().await;
        let done = self.blocking(move |_| work()).await;
        drop(turn);
        done
    }

    fn name_key(&self, name: &str) -> [u8; 32] {
        self.keys.blind("account", &name.trim().to_lowercase())
    }
}

impl Token {
    fn digest(&self) -> [u8; 32] {
        Digest::of(self.0.as_bytes()).0
    }
}

fn context(account: &str) -> String {
    format!("accounts/{account}")
}

fn random_hex<const N: usize>() -> Result<String, Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(vault::VaultError::NoRandomness)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn hashed(password: &str) -> Result<String, Error> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string())
        .map_err(|err| Error::Unacceptable { what: format!("the password cannot be hashed: {err}") })
}

fn verified(password: &str, stored: &str) -> bool {
    PasswordHash::new(stored).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

/// The hash of a password that nobody knows, with the same cost as the real ones.
const DECOY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
