//! A TOML text read piece by piece: every problem is collected with its line and column, none ends the reading.
//! What the pieces mean is not known here.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::Range;

use bundle_spec::project::Localized;
use bundle_spec::suggest::nearest;
use bundle_spec::validate;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::expected::{self, Wanted};
use super::slips::{self, Slip};

/// One thing wrong with the text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong, and what to write instead.
    pub message: String,
}

impl Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

/// The text, and what has been found wrong with it.
#[derive(Debug)]
pub struct Document<'t> {
    text: &'t str,
    found: RefCell<Vec<Problem>>,
}

impl<'t> Document<'t> {
    /// Parses the syntax, as far as it holds.
    pub fn parse(text: &'t str) -> (Spanned<DeTable<'t>>, Self) {
        let (root, errors) = DeTable::parse_recoverable(text);
        let document = Self { text, found: RefCell::default() };
        let slip = |error: toml::de::Error| Slip {
            span: error.span().unwrap_or(0..0),
            message: error.message().trim().to_owned(),
        };
        for slip in slips::explained(text, errors.into_iter().map(slip).collect()) {
            document.note(slip.span, slip.message);
        }
        (root, document)
    }

    /// The outermost table.
    pub fn root<'d>(&'d self, root: &'d Spanned<DeTable<'t>>) -> Table<'d> {
        Table {
            document: self,
            table: root.get_ref(),
            name: String::new(),
            is_item: false,
            span: 0..0,
            asked: RefCell::default(),
        }
    }

    /// Whether anything was found so far.
    pub fn has_problems(&self) -> bool {
        !self.found.borrow().is_empty()
    }

    /// Everything found so far, in the order of the text.
    pub fn problems(self) -> Vec<Problem> {
        let mut problems = self.found.into_inner();
        problems.sort();
        problems.dedup();
        problems
    }

    fn note(&self, span: Range<usize>, message: impl Display) {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |start| start.chars().count()) + 1;
        self.found.borrow_mut().push(Problem { line, column, message: message.to_string() });
    }
}

/// One table of the text. Remembers which keys were asked for: the others are unknown.
#[derive(Debug)]
pub struct Table<'d> {
    document: &'d Document<'d>,
    table: &'d DeTable<'d>,
    name: String,
    /// Whether it is one of several: `[[name]]`.
    is_item: bool,
    span: Range<usize>,
    asked: RefCell<Vec<&'d str>>,
}

impl<'d> Table<'d> {
    /// Reports a problem of the table as a whole.
    pub fn problem(&self, message: impl Display) {
        self.document.note(self.span.clone(), message);
    }

    /// Reports a problem of one key's value.
    pub fn problem_of(&self, key: &str, message: impl Display) {
        let span = self.table.get(key).map_or(self.span.clone(), Spanned::span);
        self.document.note(span, message);
    }

    /// The keys, where they are names of the vendor's own, in their order.
    pub fn names(&self) -> Vec<&'d str> {
        let mut keys: Vec<_> = self.table.keys().collect();
        keys.sort_by_key(|key| key.span().start);
        keys.into_iter().map(|key| key.get_ref().as_ref()).collect()
    }

    /// One text, whole number or boolean, or a list of them, each as text.
    pub fn scalars(&self, key: &'d str) -> Vec<String> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let one = |item: &Spanned<DeValue<'_>>| {
            let text = expected::scalar(item.get_ref());
            if text.is_none() {
                self.wrong_type(
                    key,
                    item,
                    Wanted::Other("a text, a whole number, true or false, or a list of them"),
                );
            }
            text
        };
        match value.get_ref().as_array() {
            Some(array) => array.iter().filter_map(one).collect(),
            None => one(value).into_iter().collect(),
        }
    }

    /// Whether a key's value is a list that has tables in it.
    pub fn has_tables(&self, key: &str) -> bool {
        let array = self.table.get(key).and_then(|value| value.get_ref().as_array());
        array.is_some_and(|array| array.iter().any(|item| item.get_ref().is_table()))
    }

    /// Whether a key is not there, or an empty list.
    pub fn is_empty_or_missing(&self, key: &str) -> bool {
        let value = self.table.get(key).map(Spanned::get_ref);
        value.is_none_or(|value| value.as_array().is_some_and(|array| array.is_empty()))
    }

    /// Whether a key's value is a table.
    pub fn is_table(&self, key: &str) -> bool {
        self.table.get(key).is_some_and(|value| value.get_ref().is_table())
    }

    /// Whether the key is there.
    pub fn has(&self, key: &'static str) -> bool {
        self.value(key).is_some()
    }

    /// A text through a parser; nothing when the key is missing or its value refused.
    pub fn optional<T, E: Display>(
        &self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let value = self.value(key)?;
        let Some(text) = value.get_ref().as_str() else {
            self.wrong_type(key, value, Wanted::Text);
            return None;
        };
        parse(text)
            .map_err(|error| self.document.note(value.span(), format!("{}: {error}", self.path(key))))
            .ok()
    }

    /// As [`Table::optional`], and a problem when the key is missing.
    pub fn required<T, E: Display>(
        &self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        self.expect(key);
        self.optional(key, parse)
    }

    /// A text as it is.
    pub fn text(&self, key: &'static str) -> Option<String> {
        self.optional(key, |text| Ok::<_, String>(text.to_owned()))
    }

    /// A whole number within bounds.
    pub fn integer(&self, key: &'static str, bounds: std::ops::RangeInclusive<i64>) -> Option<i64> {
        let value = self.value(key)?;
        let number = expected::integer(value.get_ref());
        match number {
            Some(number) if bounds.contains(&number) => return Some(number),
            Some(_) => {
                let (low, high) = bounds.into_inner();
                self.document.note(value.span(), format!("{} must be from {low} to {high}", self.path(key)));
            }
            None => self.wrong_type(key, value, Wanted::Integer),
        }
        None
    }

    /// `true` or `false`.
    pub fn boolean(&self, key: &'static str) -> Option<bool> {
        let value = self.value(key)?;
        let boolean = value.get_ref().as_bool();
        if boolean.is_none() {
            self.wrong_type(key, value, Wanted::Boolean);
        }
        boolean
    }

    /// A list of texts; empty when the key is missing.
    pub fn texts(&self, key: &'static str) -> Vec<String> {
        self.items(key, "a list of texts", |value| value.as_str().map(str::to_owned))
    }

    /// A list of texts and whole numbers, all as texts.
    pub fn texts_or_numbers(&self, key: &'static str) -> Vec<String> {
        self.items(key, "a list of numbers and texts", |value| match value.as_str() {
            Some(text) => Some(text.to_owned()),
            None => expected::integer(value).map(|number| number.to_string()),
        })
    }

    /// A text in both languages; nothing when the key is missing.
    pub fn localized(&self, key: &'static str) -> Option<Localized> {
        if let Some((value, text)) =
            self.value(key).and_then(|value| Some((value, value.get_ref().as_str()?)))
        {
            self.document.note(value.span(), expected::in_both_languages(&self.path(key), text));
            return None;
        }
        let table = self.table(key)?;
        let text = |text: &str| validate::text(text).map(|()| text.to_owned());
        let (zh, en) = (table.required("zh", text), table.required("en", text));
        table.report_unknown();
        Some(Localized { zh: zh?, en: en? })
    }

    /// As [`Table::localized`], and a problem when the key is missing.
    pub fn required_localized(&self, key: &'static str) -> Option<Localized> {
        self.expect(key);
        self.localized(key)
    }

    /// A table inside this one.
    pub fn table(&self, key: &'d str) -> Option<Table<'d>> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::Table(table) => Some(self.child(key, table, false, value.span())),
            _ if self.begins_section(value) => {
                let path = self.path(key);
                let message = format!("write [{path}] instead of [[{path}]]: there is one only");
                self.document.note(value.span(), message);
                None
            }
            _ => {
                let wanted = format!("a table, [{}]", self.path(key));
                self.wrong_type(key, value, Wanted::Other(&wanted));
                None
            }
        }
    }

    /// The tables of a list, `[[key]]`.
    pub fn tables(&self, key: &'static str) -> Vec<Table<'d>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let path = self.path(key);
        let Some(array) = value.get_ref().as_array() else {
            if self.begins_section(value) {
                let message = format!("write [[{path}]] instead of [{path}]: there can be several");
                self.document.note(value.span(), message);
            } else {
                self.wrong_type(key, value, Wanted::Other(&format!("a list of tables, [[{path}]]")));
            }
            return Vec::new();
        };
        let table = |item: &'d Spanned<DeValue<'d>>| match item.get_ref() {
            DeValue::Table(table) => Some(self.child(key, table, true, item.span())),
            _ => {
                self.wrong_type(key, item, Wanted::Other(&format!("a list of tables, [[{path}]]")));
                None
            }
        };
        array.iter().filter_map(table).collect()
    }

    /// All entries of a table whose keys the vendor chooses; their values are texts.
    pub fn entries<T>(&self, parse: impl Fn(&str, &str) -> Result<T, String>) -> BTreeMap<String, T> {
        let mut entries = BTreeMap::new();
        for (key, value) in self.table {
            let name: &str = key.get_ref();
            let Some(text) = value.get_ref().as_str() else {
                self.wrong_type(name, value, Wanted::Text);
                continue;
            };
            match parse(name, text) {
                Ok(value) => {
                    entries.insert(name.to_owned(), value);
                }
                Err(problem) => self.document.note(value.span(), format!("{}: {problem}", self.path(name))),
            }
        }
        entries
    }

    /// A text, whole number or boolean, as text.
    pub fn scalar(&self, key: &'static str) -> Option<String> {
        let value = self.value(key)?;
        let text = expected::scalar(value.get_ref());
        if text.is_none() {
            self.wrong_type(key, value, Wanted::Other("a text, a whole number, or true or false"));
        }
        text
    }

    /// Reports every key that nobody asked for.
    pub fn report_unknown(&self) {
        let asked = self.asked.borrow();
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if asked.contains(&name) {
                continue;
            }
            let advice = match nearest(name, asked.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known are {}", asked.join(", ")),
            };
            let whose = if self.name.is_empty() { String::new() } else { format!(" in {}", self.header()) };
            self.document.note(key.span(), format!("unknown key `{}`{whose}: {advice}", name.escape_debug()));
        }
    }

    fn items<T>(&self, key: &'static str, wanted: &str, read: impl Fn(&DeValue<'_>) -> Option<T>) -> Vec<T> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(key, value, Wanted::List(wanted));
            return Vec::new();
        };
        let item = |item: &Spanned<DeValue<'_>>| {
            let read = read(item.get_ref());
            if read.is_none() {
                self.wrong_type(key, item, Wanted::Other(wanted));
            }
            read
        };
        array.iter().filter_map(item).collect()
    }

    fn value(&self, key: &'d str) -> Option<&'d Spanned<DeValue<'d>>> {
        let mut asked = self.asked.borrow_mut();
        if !asked.contains(&key) {
            asked.push(key);
        }
        self.table.get(key)
    }

    fn expect(&self, key: &'static str) {
        if self.value(key).is_none() {
            self.problem(format!("`{key}` is missing in {}", self.header()));
        }
    }

    fn child(&self, key: &str, table: &'d DeTable<'d>, is_item: bool, span: Range<usize>) -> Table<'d> {
        let name = self.path(key);
        Table { document: self.document, table, name, is_item, span, asked: RefCell::default() }
    }

    /// The table as its header is written.
    fn header(&self) -> String {
        if self.is_item { format!("[[{}]]", self.name) } else { format!("[{}]", self.name) }
    }

    fn path(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    fn wrong_type(&self, key: &str, value: &Spanned<DeValue<'_>>, wanted: Wanted<'_>) {
        let source = self.document.text.get(value.span()).unwrap_or_default();
        let sentence = expected::sentence(&self.path(key), wanted, value.get_ref(), source);
        self.document.note(value.span(), sentence);
    }

    /// Whether a value is what follows a header, `[name]` or `[[name]]`.
    fn begins_section(&self, value: &Spanned<DeValue<'_>>) -> bool {
        let before = self.document.text.get(..value.span().start).unwrap_or_default();
        expected::follows_header(before, value.get_ref())
    }
}
