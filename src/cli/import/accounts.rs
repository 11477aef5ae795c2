//! Accounts: htpasswd files as far as the gate reads their hashes, and passwords that stand in clear in the source.

use super::draft::Left;
use crate::cli::output::Misuse;
use crate::cli::{hash, nfc};
use edgeward::password::htpasswd::Users;
use edgeward::password::phc::PasswordHash;
use edgeward::secret::Secret;
use std::path::{Path, PathBuf};

/// The accounts of a source.
#[derive(Default)]
pub struct Accounts {
    known: Vec<Account>,
    /// User-ids whose hash cannot be carried over, each once.
    pub lost: Vec<String>,
}

/// One account.
struct Account {
    user: String,
    proof: Proof,
    groups: Vec<String>,
}

/// What an account's line is made of.
enum Proof {
    /// A hash that the gate reads.
    Hash(Secret<String>),
    /// A password in clear, hashed when the line is asked for: that takes its time.
    Password(Secret<String>),
}

impl Accounts {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Adds one whose password stands in clear.
    ///
    /// # Errors
    /// Why the gate would not take it.
    pub fn add_password(&mut self, user: &str, password: &Secret<String>) -> Result<(), String> {
        if password.expose().is_empty() {
            return Err("the password is empty".to_owned());
        }
        hash::as_sent(user, password).map_err(|Misuse(why)| why)?;
        self.add(user, Proof::Password(Secret::new(nfc(password.expose()))))
    }

    fn add(&mut self, user: &str, proof: Proof) -> Result<(), String> {
        let user = nfc(user);
        match self.known.iter().find(|known| known.user == user) {
            None => {
                self.known.push(Account { user, proof, groups: Vec::new() });
                Ok(())
            }
            Some(known) if known.proof.is(&proof) => Ok(()),
            Some(_) => {
                Err("this user-id stands earlier with another password, and here each has one".to_owned())
            }
        }
    }

    /// Puts a user into a group, where the user is known.
    pub fn put_into(&mut self, user: &str, group: &str) {
        let user = nfc(user);
        if let Some(known) = self.known.iter_mut().find(|known| known.user == user)
            && !known.groups.iter().any(|there| there == group)
        {
            known.groups.push(group.to_owned());
        }
    }

    /// The lines of `EDGEWARD_USERS`.
    pub fn lines(&self) -> Result<Vec<Secret<String>>, Misuse> {
        self.known.iter().map(Account::line).collect()
    }

    /// Reads an htpasswd file: whom it holds, and what of it is left over. Nothing of a line is shown unless the rest
    /// of it is known to be a hash.
    pub fn read(&mut self, text: &str, file: &str) -> (Vec<String>, Vec<Left>) {
        let (mut users, mut left) = (Vec::new(), Vec::new());
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (line, number) in text.lines().map(str::trim_end).zip(1..) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (user, refused) = self.read_line(line);
            users.extend(user.clone());
            if let Some(why) = refused {
                self.lost.extend(user.clone().filter(|user| !self.lost.contains(user)));
                let what = user.map_or("a line".to_owned(), |user| format!("the account {user:?}"));
                left.push(Left {
                    line: Some(number),
                    file: Some(file.to_owned()),
                    what,
                    why,
                    carried: false,
                });
            }
        }
        (users, left)
    }

    /// The user-id where the line is one, and why it is not carried over where it is not.
    fn read_line(&mut self, line: &str) -> (Option<String>, Option<String>) {
        const FORM: &str = "it is not of the form user:hash";
        let Some((user, rest)) = line.split_once(':') else { return (None, Some(FORM.to_owned())) };
        let hash = rest.split(':').next().unwrap_or_default();
        if let Some(password) = hash.strip_prefix("{PLAIN}") {
            let added = self.add_password(user, &Secret::new(password.to_owned()));
            return (Some(user.to_owned()), added.err());
        }
        match PasswordHash::parse(hash) {
            Err(unusable) if unusable.is_hash => (Some(user.to_owned()), Some(rehash(&unusable.found))),
            Err(unusable) => {
                (None, Some(format!("found {}, expected {}", unusable.found, unusable.expected)))
            }
            Ok(_) => {
                let added = is_read(user, hash)
                    .and_then(|()| self.add(user, Proof::Hash(Secret::new(hash.to_owned()))));
                (Some(user.to_owned()), added.err())
            }
        }
    }
}

impl Account {
    fn line(&self) -> Result<Secret<String>, Misuse> {
        let hash = match &self.proof {
            Proof::Hash(hash) => hash.clone(),
            Proof::Password(password) => Secret::new(hash::argon2id(password)?),
        };
        let groups =
            if self.groups.is_empty() { String::new() } else { format!(":{}", self.groups.join(",")) };
        Ok(Secret::new(format!("{}:{}{groups}", self.user, hash.expose())))
    }
}

impl Proof {
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Hash(one), Self::Hash(other)) | (Self::Password(one), Self::Password(other)) => {
                one.expose() == other.expose()
            }
            (Self::Hash(_), Self::Password(_)) | (Self::Password(_), Self::Hash(_)) => false,
        }
    }
}

fn rehash(found: &str) -> String {
    format!("found {found}, which is not read here: the user needs a new password by `edgeward hash`")
}

/// Whether the gate reads this line, which is known to be a hash.
fn is_read(user: &str, hash: &str) -> Result<(), String> {
    let source = ("EDGEWARD_USERS".to_owned(), Secret::new(format!("{user}:{hash}")));
    match Users::parse(&[source], &[], nfc) {
        Ok(_) => Ok(()),
        Err(problems) => {
            let first = problems.into_iter().next();
            Err(first.map_or_else(String::new, |it| format!("found {}, expected {}", it.found, it.expected)))
        }
    }
}

/// The user files that a source names, and where to read them.
pub struct UserFiles<'f> {
    given: &'f [PathBuf],
    folder: &'f Path,
}

impl<'f> UserFiles<'f> {
    /// `given`: what `--users` names; `folder`: where the configuration is.
    pub const fn new(given: &'f [PathBuf], folder: &'f Path) -> Self {
        Self { given, folder }
    }

    /// The text of the file that the configuration calls `path`, and its name here. `only`: whether the configuration
    /// names no other.
    pub fn read(&self, path: &str, only: bool) -> Result<(Secret<String>, String), String> {
        let file = self.find(path, only);
        match std::fs::read_to_string(&file) {
            Ok(text) => Ok((Secret::new(text), file.display().to_string())),
            Err(error) => Err(format!("{} cannot be read ({error}); name it with --users", file.display())),
        }
    }

    /// A given file of the same name, or the one that is given where one is meant, or the path itself.
    fn find(&self, path: &str, only: bool) -> PathBuf {
        let path = Path::new(path);
        let same_name = self.given.iter().find(|given| given.file_name() == path.file_name());
        match (same_name, self.given) {
            (Some(file), _) => file.clone(),
            (None, [one]) if only => one.clone(),
            (None, _) => self.folder.join(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BCRYPT: &str = "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

    #[test]
    fn what_is_read_and_what_is_not() {
        let mut accounts = Accounts::default();
        let text = format!(
            "# staff\nann:{BCRYPT}:Ann Lee\nbob:$apr1$salt$Xxd1irWT9ycqoYxGFn4cb.\r\nhunter2\ncid:hunter2\n\
             dan:{{PLAIN}}right password\ntoken:x:{BCRYPT}\n"
        );
        let (users, left) = accounts.read(&text, "htpasswd");
        assert_eq!(users, ["ann", "bob", "dan"]);
        let shown: Vec<String> =
            left.iter().map(|it| format!("{}: {}: {}", it.line.unwrap(), it.what, it.why)).collect();
        assert_eq!(shown.len(), 4, "{shown:?}");
        assert!(
            shown[0].starts_with("3: the account \"bob\": found an Apache MD5 hash ($apr1$)"),
            "{shown:?}"
        );
        assert!(shown.iter().all(|line| !line.contains("hunter2") && !line.contains("Xxd1")), "{shown:?}");
        let lines = accounts.lines().unwrap();
        assert_eq!(*lines[0].expose(), format!("ann:{BCRYPT}"));
        assert!(lines[1].expose().starts_with("dan:$argon2id$"));
        assert_eq!(accounts.lost, ["bob"]);
    }

    #[test]
    fn one_password_for_each() {
        let mut accounts = Accounts::default();
        let secret = |text: &str| Secret::new(text.to_owned());
        accounts.add_password("ann", &secret("one")).unwrap();
        accounts.add_password("ann", &secret("one")).unwrap();
        assert!(accounts.add_password("ann", &secret("two")).is_err());
        for (user, password) in [("", "x"), ("a\u{7}", "x"), ("a", ""), ("#a", "x"), ("a", "x\u{0}")] {
            assert!(accounts.add_password(user, &secret(password)).is_err(), "{user:?}");
        }
        assert_eq!(accounts.len(), 1);
    }

    #[test]
    fn which_file_is_meant() {
        let given = [PathBuf::from("/tmp/a/staff"), PathBuf::from("other")];
        let files = UserFiles::new(&given, Path::new("conf"));
        assert_eq!(files.find("/etc/nginx/staff", false), Path::new("/tmp/a/staff"));
        assert_eq!(files.find("x/y", true), Path::new("conf/x/y"));
        assert_eq!(files.find("/x/y", false), Path::new("/x/y"));
        let one = UserFiles::new(&given[1..], Path::new("conf"));
        assert_eq!(one.find("/x/y", true), Path::new("other"));
        assert_eq!(one.find("/x/y", false), Path::new("/x/y"));
    }
}
