//! What is made from answers besides `.env`: `[tls]` and `[[action]]`. Templates are read where the files are.

use std::collections::{BTreeMap, HashSet};

use bundle_spec::project::{Action, ActionRun, Tls};
use bundle_spec::question::{Question, QuestionId, QuestionKind, builtin};
use bundle_spec::suggest::nearest;
use bundle_spec::template::Condition;
use bundle_spec::validate;
use bundle_spec::value::Value;

use super::document::Table;
use super::project_path;
use crate::quantity;

/// The questions that can be referred to.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// Those that hold.
    pub questions: &'a [Option<Question>],
    /// The ids of all of the vendor's.
    pub ids: &'a [&'a str],
    /// Whether there is a section `[tls]`, which brings questions of its own.
    pub has_tls: bool,
}

impl Scope<'_> {
    /// All ids, those of built-in questions included.
    fn known(&self) -> impl Iterator<Item = &str> + Clone {
        let own = [builtin::TLS].into_iter().filter(|_| self.has_tls);
        self.ids.iter().copied().chain(own)
    }

    /// An id that is that of a question.
    ///
    /// # Errors
    /// In words, with the nearest one.
    pub fn question(&self, text: &str) -> Result<QuestionId, String> {
        let id = QuestionId::parse(text).map_err(|error| error.to_string())?;
        if self.known().any(|known| known == text) {
            return Ok(id);
        }
        Err(match nearest(text, self.known()) {
            Some(near) => format!("there is no question `{text}`: did you mean `{near}`?"),
            None if text == builtin::TLS => "`tls` is only asked where there is a section [tls]".to_owned(),
            None => format!("there is no question `{text}`"),
        })
    }

    fn is_secret(&self, id: &QuestionId) -> bool {
        self.questions.iter().flatten().any(|question| question.id == *id && question.is_secret())
    }

    /// Whether a condition's question is there, and can have the value that it is compared with.
    ///
    /// # Errors
    /// In words.
    pub fn check(&self, condition: &Condition) -> Result<(), String> {
        let id = self.question(condition.id.as_str())?;
        let Some(value) = condition.value() else { return Ok(()) };
        let question = self.questions.iter().flatten().find(|question| question.id == id);
        let values: Vec<&str> = match question {
            Some(question) if question.kind == QuestionKind::Bool => vec!["true", "false"],
            Some(question) if question.kind == QuestionKind::Choice => {
                question.choices.iter().map(|choice| choice.value.as_str()).collect()
            }
            None if id.as_str() == builtin::TLS => builtin::TLS_CHOICES.to_vec(),
            _ => return Ok(()),
        };
        if values.contains(&value) {
            return Ok(());
        }
        Err(format!(
            "`{condition}`: the answer to `{id}` is never `{value}`, but one of: {}",
            values.join(", ")
        ))
    }
}

pub fn tls(table: &Table<'_>, scope: &Scope<'_>, values: &[Option<Value>]) -> Option<Tls> {
    let certificate = table.required("certificate", project_path);
    let key = table.required("key", project_path);
    let host = table.required("host", |text| match scope.question(text) {
        Ok(id) if id.as_str() == builtin::TLS => {
            Err("`tls` asks for the certificate, not for the host".to_owned())
        }
        Ok(id) if scope.is_secret(&id) => {
            Err(format!("the answer to `{id}` is secret, and everybody can read a certificate"))
        }
        Ok(id) => {
            let (questions, values): (Vec<_>, Vec<_>) = (
                scope.questions.iter().flatten().cloned().collect(),
                values.iter().flatten().cloned().collect(),
            );
            validate::certificate_order(&id, &questions, &values).map(|()| id)
        }
        other => other,
    });
    let owner = table.optional("owner", quantity::parse_owner);
    if certificate.is_some() && certificate == key {
        table.problem_of("key", "certificate and key need a file each");
    }
    table.report_unknown();
    Some(Tls { certificate: certificate?, key: key?, host: host?, owner })
}

pub fn action(table: &Table<'_>, scope: &Scope<'_>) -> Option<Action> {
    let text = |text: &str| validate::text(text).map(|()| text.to_owned());
    let name = table.required("name", |text| validate::name(text).map(|()| text.to_owned()));
    let title = table.localized("title");
    let service = table.required("service", text);
    let command = table.texts("command");
    if command.is_empty() {
        table.problem("[[action]] needs `command`: the program and its arguments, as a list");
    }
    let user = table.optional("user", text);
    let stdin = table.optional("stdin", |text| scope.question(text));
    let env = table.table("env").map(|env| variables(&env, scope)).unwrap_or_default();
    let run = table.optional("run", |text| match text {
        "bundle" => Ok(ActionRun::Bundle),
        "change" => Ok(ActionRun::Change),
        "once" => Ok(ActionRun::Once),
        other => Err(format!("`{other}` is not known: write \"once\", \"change\" or \"bundle\"")),
    });
    let timeout = table.optional("timeout", |text| match quantity::parse_seconds(text)? {
        seconds if (1..=bundle_spec::limits::TIMEOUT_MAX).contains(&seconds) => Ok(seconds),
        _ => Err(format!("`{text}` is nothing, or longer than a day")),
    });
    table.report_unknown();
    Some(Action {
        name: name?,
        title,
        service: service?,
        command: Some(command).filter(|command| !command.is_empty())?,
        user,
        stdin,
        env,
        run: run.unwrap_or_default(),
        timeout: timeout.unwrap_or(60),
    })
}

/// `env = { NAME = "question" }`.
fn variables(table: &Table<'_>, scope: &Scope<'_>) -> BTreeMap<String, QuestionId> {
    table.entries(|name, value| {
        if !validate::is_env_name(name) {
            return Err(format!("`{name}` is not a variable name"));
        }
        scope.question(value)
    })
}

/// Two actions of one name could not be told apart in the record of what was done.
pub fn refuse_twins(root: &Table<'_>) {
    let mut names = HashSet::new();
    for table in root.tables("action") {
        if let Some(name) = table.text("name").filter(|name| !names.insert(name.clone())) {
            table.problem_of("name", format!("the action `{name}` is there twice"));
        }
    }
}
