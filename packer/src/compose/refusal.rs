//! What to do about a project that Compose refuses, going by what it wrote. Where that is not certain, the hint says only where
//! to look and what Compose was asked about. Pure, but for the question whether a file is there.

use bundle_spec::suggest::nearest;

/// Keys at the top of a Compose file.
const TOP: [&str; 8] =
    ["configs", "include", "name", "networks", "secrets", "services", "version", "volumes"];

/// Keys of a service; those that nobody mistypes for another are not all here.
const SERVICE: [&str; 50] = [
    "annotations",
    "build",
    "cap_add",
    "cap_drop",
    "cgroup_parent",
    "command",
    "configs",
    "container_name",
    "cpus",
    "depends_on",
    "deploy",
    "devices",
    "dns",
    "entrypoint",
    "env_file",
    "environment",
    "expose",
    "extends",
    "extra_hosts",
    "gpus",
    "group_add",
    "healthcheck",
    "hostname",
    "image",
    "init",
    "ipc",
    "labels",
    "links",
    "logging",
    "mem_limit",
    "network_mode",
    "networks",
    "pid",
    "platform",
    "ports",
    "privileged",
    "profiles",
    "pull_policy",
    "read_only",
    "restart",
    "secrets",
    "security_opt",
    "shm_size",
    "stop_grace_period",
    "sysctls",
    "tmpfs",
    "ulimits",
    "user",
    "volumes",
    "working_dir",
];

/// What Compose was asked about.
pub struct Question<'a> {
    /// The Compose file.
    pub file: &'a str,
    /// Its text.
    pub text: &'a str,
    /// Variables that nothing sets, for which [`STAND_IN`] was put.
    pub unset: &'a [String],
    /// Whether the vendor's folder has this file.
    pub is_there: &'a dyn Fn(&str) -> bool,
}

/// The value of a variable that nothing sets: without one Compose would say nothing else.
pub const STAND_IN: &str = "airlift";

/// What Compose wrote, with the copy's folder as `.` and without warnings: why it refuses is in the rest.
pub fn reason(stderr: &str, copy: &str) -> String {
    let is_reason = |line: &&str| !(line.starts_with("time=") && line.contains("level=warning"));
    let lines: Vec<_> = stderr.lines().filter(is_reason).collect();
    let text = if lines.is_empty() { stderr.to_owned() } else { lines.join("\n") };
    text.replace(copy, ".").trim().to_owned()
}

impl Question<'_> {
    /// What to do, after Compose gave this reason.
    pub fn hint(&self, reason: &str) -> String {
        let known = [
            Self::stand_in,
            Self::syntax,
            Self::missing_variable,
            Self::unknown_key,
            Self::missing_file,
            Self::dollar,
            Self::undefined,
        ];
        known.iter().find_map(|hint| hint(self, reason)).unwrap_or_else(|| {
            let file = self.file;
            format!(
                "correct {file}; Compose was asked about a copy of what is packed, with an example for every answer"
            )
        })
    }

    /// A word of ours in what Compose complains about.
    fn stand_in(&self, reason: &str) -> Option<String> {
        let mut words = reason.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_');
        let is_ours = !self.unset.is_empty() && words.any(|word| word == STAND_IN);
        is_ours.then(|| {
            let names = self.unset.join(", ");
            format!("`{STAND_IN}` stands for variables that no question sets: add a [[question]] for {names} first")
        })
    }

    fn syntax(&self, reason: &str) -> Option<String> {
        // Such a key is a text to YAML, and what stands below it is then a text where Compose wants keys.
        let is_text = reason.contains("must be a mapping") && line_where(self.text, has_wide_colon).is_some();
        if !is_text && !reason.contains("failed to parse ") && !reason.starts_with("yaml: ") {
            return None;
        }
        // An included file has a name of its own, and a text that is not at hand.
        let named = between(reason, "failed to parse ", ": ").map(|path| path.trim_start_matches("./"));
        let file = named.unwrap_or(self.file);
        let text = if file == self.file { self.text } else { "" };
        if let Some(line) = line_where(text, has_wide_colon) {
            return Some(format!(
                "line {line} of {file} has a full-width `：`: write `:` and a space behind it"
            ));
        }
        if let Some(line) = line_where(text, |line| line.trim_start_matches(' ').starts_with('\t')) {
            return Some(format!("line {line} of {file} is indented with a tab: YAML takes spaces only"));
        }
        let number = |text: &str| text.split(|c: char| !c.is_ascii_digit()).next()?.parse::<u32>().ok();
        let Some(line) = reason.split_once(": line ").and_then(|(_, rest)| number(rest)) else {
            return Some(format!("correct the YAML of {file}"));
        };
        Some(if reason.contains("already defined") {
            format!("remove line {line} of {file}, or the one that it repeats")
        } else if reason.contains("did not find expected key") {
            format!(
                "look at the indentation of {file} from line {line} on: what belongs together stands in line"
            )
        } else if reason.contains("mapping values are not allowed") {
            format!(
                "look at line {line} of {file} and the one above: their indentation, and a value with `: ` in it, which wants quotes"
            )
        } else if reason.contains("cannot start any token") {
            format!(
                "put the value in line {line} of {file} in quotes: it begins with a character that means something in YAML"
            )
        } else {
            format!("correct the YAML of {file} in line {line}, or just above it")
        })
    }

    fn missing_variable(&self, reason: &str) -> Option<String> {
        let rest = reason.split_once("required variable ")?.1;
        let name = rest.split_once(" is missing")?.0;
        Some(format!(
            "add a [[question]] with env = \"{name}\", or a default in {}: ${{{name}:-value}}",
            self.file
        ))
    }

    fn unknown_key(&self, reason: &str) -> Option<String> {
        // Older ones: `services.web Additional property imag is not allowed`.
        let lower = reason.replace("Additional property ", "additional properties ");
        let (before, rest) = lower.split_once("additional properties ")?;
        let rest = rest.split_once(" not allowed")?.0.trim_end_matches(" is");
        let key = rest.split(',').next()?.trim_matches(['\'', ' ']);
        let place = before.rsplit(": ").next().unwrap_or(before).trim();
        let is_top = place.is_empty() || place == "(root)";
        let is_service = place.starts_with("services.") && place.matches('.').count() == 1;
        if is_top && SERVICE.contains(&key) && !TOP.contains(&key) {
            return Some(format!("`{key}` belongs to a service: indent it below the service's name"));
        }
        let near = match (is_top, is_service) {
            (true, _) => nearest(key, TOP),
            (_, true) => nearest(key, SERVICE),
            _ => None,
        };
        Some(match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!(
                "correct the spelling of `{key}` or its indentation; if both are right, a newer Compose knows it: name one in the section [engine]"
            ),
        })
    }

    fn missing_file(&self, reason: &str) -> Option<String> {
        if !reason.contains("no such file or directory") && !reason.contains(" not found: ") {
            return None;
        }
        let path = ["env file ./", "open ./", "stat ./"].iter().find_map(|before| {
            let rest = reason.split_once(before)?.1;
            Some(rest.split_once(" not found").or_else(|| rest.split_once(": "))?.0)
        })?;
        Some(if (self.is_there)(path) {
            format!("pack it: [[file]] include = [\"{path}\"]")
        } else {
            format!(
                "{path} is not in the project's folder: put it there and pack it, [[file]] include = [\"{path}\"], or take it out of {}",
                self.file
            )
        })
    }

    fn dollar(&self, reason: &str) -> Option<String> {
        reason.contains("invalid interpolation format").then(|| {
            format!("in {} write $$ for a $ that is meant as such, and ${{NAME}} for a variable", self.file)
        })
    }

    fn undefined(&self, reason: &str) -> Option<String> {
        if let Some((_, rest)) = reason.split_once("depends on undefined service ") {
            let name = rest.split('"').nth(1)?;
            return Some(format!(
                "correct the name, or add the service `{name}`; if it is there and has `profiles`, switch one on: [compose] profiles"
            ));
        }
        let (kind, name) = reason.split_once("refers to undefined ")?.1.split_once(' ')?;
        let name = name.split(':').next()?;
        Some(format!("correct the name, or add `{name}` to `{kind}s:` at the top level of {}", self.file))
    }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    Some(text.split_once(before)?.1.split_once(after)?.0)
}

fn line_where(text: &str, is_it: impl Fn(&str) -> bool) -> Option<usize> {
    text.lines().position(is_it).map(|line| line + 1)
}

/// Whether a line is a key with the colon of a Chinese keyboard behind it.
fn has_wide_colon(line: &str) -> bool {
    let line = line.trim_start().trim_start_matches("- ");
    let key = line.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-' | '.')).next();
    key.is_some_and(|key| !key.is_empty() && line[key.len()..].trim_start().starts_with('：'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(text: &str, reason: &str) -> String {
        let question = Question {
            file: "compose.yaml",
            text,
            unset: &["PORT".to_owned()],
            is_there: &|path| path == "app.env",
        };
        question.hint(reason)
    }

    /// What Compose 2.40 says, and older ones where that differs.
    #[test]
    fn each_refusal_has_the_hint_that_fits_it() {
        let yaml = |rest: &str| format!("failed to parse ./compose.yaml: {rest}");
        for (reason, begins) in [
            (
                yaml("yaml: line 4: did not find expected key"),
                "look at the indentation of compose.yaml from line 4 on",
            ),
            (
                yaml("yaml: line 3: mapping values are not allowed in this context"),
                "look at line 3 of compose.yaml",
            ),
            (
                yaml("yaml: line 5: found character that cannot start any token"),
                "put the value in line 5 of compose.yaml in quotes",
            ),
            (
                yaml("line 4: mapping key \"image\" already defined at line 3"),
                "remove line 4 of compose.yaml",
            ),
            (
                yaml("yaml: line 3: found unexpected end of stream"),
                "correct the YAML of compose.yaml in line 3",
            ),
            (yaml("yaml: unknown anchor 'x' referenced"), "correct the YAML of compose.yaml"),
            ("yaml: line 3: did not find".to_owned(), "correct the YAML of compose.yaml in line 3"),
            (
                "failed to parse ./other.yml: yaml: line 3: x".to_owned(),
                "correct the YAML of other.yml in line 3",
            ),
            (
                "error while interpolating services.web.image: required variable X is missing a value: y"
                    .to_owned(),
                "add a [[question]] with env = \"X\", or a default in compose.yaml: ${X:-value}",
            ),
            (
                "validating ./compose.yaml: services.web additional properties 'imag', 'foo' not allowed"
                    .to_owned(),
                "did you mean `image`?",
            ),
            ("services.web Additional property imag is not allowed".to_owned(), "did you mean `image`?"),
            (
                "validating ./compose.yaml:  additional properties 'servces' not allowed".to_owned(),
                "did you mean `services`?",
            ),
            ("(root) Additional property ports is not allowed".to_owned(), "`ports` belongs to a service"),
            (
                "validating ./compose.yaml: services.web.deploy additional properties 'zebra' not allowed"
                    .to_owned(),
                "correct the spelling of `zebra`",
            ),
            (
                "env file ./app.env not found: stat ./app.env: no such file or directory".to_owned(),
                "pack it: [[file]] include = [\"app.env\"]",
            ),
            (
                "open ./base.yml: no such file or directory".to_owned(),
                "base.yml is not in the project's folder",
            ),
            (
                "invalid interpolation format for services.web.command.\necho ${X".to_owned(),
                "in compose.yaml write $$",
            ),
            (
                "service \"web\" depends on undefined service \"db\": invalid compose project".to_owned(),
                "correct the name, or add the service `db`",
            ),
            (
                "service \"web\" refers to undefined volume foo: invalid compose project".to_owned(),
                "correct the name, or add `foo` to `volumes:`",
            ),
            ("Invalid hostPort: airlift".to_owned(), "`airlift` stands for variables that no question sets"),
            ("Invalid hostPort: abc".to_owned(), "correct compose.yaml; Compose was asked about a copy"),
            ("service \"airlift-web\" is odd".to_owned(), "correct compose.yaml; Compose"),
        ] {
            let hint = hint("services:\n", &reason);
            assert!(hint.starts_with(begins), "{reason}\n{hint}");
        }
    }

    #[test]
    fn what_the_text_itself_shows_goes_first() {
        let reason = "failed to parse ./compose.yaml: yaml: line 3: x";
        assert_eq!(
            hint("services:\n  web：\n    image: a\n", reason),
            "line 2 of compose.yaml has a full-width `：`: write `:` and a space behind it"
        );
        assert_eq!(
            hint("services:\n  web:\n\timage: a\n", reason),
            "line 3 of compose.yaml is indented with a tab: YAML takes spaces only"
        );
        assert!(
            hint("services:\n  web:\n    image： a\n", "services.web must be a mapping")
                .starts_with("line 3 of")
        );
        let innocent = "services:\n  web: # 说明：x\n    title: \"甲：乙\"\n    image: a\tb\n";
        assert!(hint(innocent, reason).starts_with("correct the YAML of compose.yaml in line 3"));
    }

    #[test]
    fn warnings_are_no_reason() {
        let stderr = "time=\"2026\" level=warning msg=\"The \\\"FOO\\\" variable is not set.\"\nopen /tmp/x/a: no such file\n";
        assert_eq!(reason(stderr, "/tmp/x"), "open ./a: no such file");
        assert_eq!(reason("time=1 level=warning msg=x\n", "/tmp/x"), "time=1 level=warning msg=x");
    }
}
