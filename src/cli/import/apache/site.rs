//! A server, and which of its sections apply to a URL path.

use super::section::Settings;

/// The main server, or a virtual host.
#[derive(Clone, Default)]
pub struct Site {
    /// The line.
    pub line: usize,
    /// Its names, each with its line.
    pub names: Vec<(usize, String)>,
    /// `DocumentRoot`.
    pub root: Option<String>,
    /// URL paths and the folders that they lead to.
    pub aliases: Vec<(String, String)>,
    /// Its sections, in the order of the file.
    pub sections: Vec<Section>,
    /// Whether all that it does is send browsers elsewhere.
    pub sends_on: bool,
    /// What stands outside of sections and may decide about access.
    pub own: Settings,
}

/// A section that has a place.
#[derive(Clone)]
pub struct Section {
    /// The line.
    pub line: usize,
    /// Its head.
    pub what: String,
    /// Where it is.
    pub place: Place,
    /// What it says.
    pub settings: Settings,
}

#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// A folder of the server's disk.
    Folder(String),
    /// A URL path; of an `.htaccess`.
    Htaccess(String),
    /// A URL path.
    Url(String),
    /// What no pattern says.
    Unsaid,
}

impl Site {
    /// The URL paths at which a section begins.
    pub fn paths(&self, place: &Place) -> Vec<String> {
        match place {
            Place::Url(path) | Place::Htaccess(path) => vec![path.clone()],
            Place::Unsaid => Vec::new(),
            Place::Folder(folder) => {
                let mut paths: Vec<String> = self
                    .mappings()
                    .into_iter()
                    .filter_map(|(url, root)| match (rest(folder, &root), rest(&root, folder)) {
                        (Some(rest), _) => Some(format!("{url}{rest}")),
                        (None, Some(_)) => Some(url),
                        (None, None) => None,
                    })
                    .collect();
                if folder.is_empty() && paths.is_empty() {
                    paths.push(String::new());
                }
                paths
            }
        }
    }

    /// URL paths and the folders that they lead to.
    fn mappings(&self) -> Vec<(String, String)> {
        let root = self.root.iter().map(|root| (String::new(), trimmed(root)));
        self.aliases.iter().map(|(url, folder)| (trimmed(url), trimmed(folder))).chain(root).collect()
    }

    /// What holds at a URL path, all sections put over each other.
    pub fn settings_at(&self, path: &str) -> Settings {
        let mappings = self.mappings();
        let leads = mappings.iter().filter_map(|(url, folder)| Some((url.len(), folder, rest(path, url)?)));
        let folder =
            leads.max_by_key(|(length, ..)| *length).map(|(_, folder, rest)| format!("{folder}{rest}"));
        let is_over = |section: &&Section| match &section.place {
            Place::Folder(it) => {
                it.is_empty() || folder.as_ref().is_some_and(|folder| rest(folder, it).is_some())
            }
            Place::Url(it) | Place::Htaccess(it) => rest(path, it).is_some(),
            Place::Unsaid => false,
        };
        let mut sections: Vec<&Section> = self.sections.iter().filter(is_over).collect();
        // The sort keeps the order of the file among equals.
        sections.sort_by_key(|section| match &section.place {
            Place::Folder(folder) => (0, folder.len()),
            Place::Htaccess(_) => (1, 0),
            Place::Url(_) | Place::Unsaid => (2, 0),
        });
        sections.into_iter().fold(self.own.clone(), |settings, section| settings.under(&section.settings))
    }
}

/// What of a path lies below a folder: empty for itself, else it begins with `/`.
fn rest<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    path.strip_prefix(folder).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A path without the `/` at its end.
pub fn trimmed(path: &str) -> String {
    path.trim_end_matches('/').to_owned()
}

/// A virtual host with what the main server says: its sections come first.
pub fn merged(main: &Site, host: &Site) -> Site {
    Site {
        line: host.line,
        names: host.names.clone(),
        root: host.root.clone().or_else(|| main.root.clone()),
        aliases: [host.aliases.as_slice(), &main.aliases].concat(),
        sections: [main.sections.as_slice(), &host.sections].concat(),
        sends_on: false,
        own: main.own.clone().under(&host.own),
    }
}
