//! Why an answer is refused, for people.

use bundle_spec::question::{AnswerProblem, HostProblem, UrlProblem};

use crate::text::{Message, answer as text};

/// The reason, as the end of a sentence.
pub fn message(why: &AnswerProblem) -> Message {
    let bound = |value: &Option<i64>| value.map_or_else(|| "…".to_owned(), |number| number.to_string());
    match why {
        AnswerProblem::ControlCharacter => text::has_control_character(),
        AnswerProblem::Empty => text::is_empty(),
        AnswerProblem::NotBool => text::not_bool(),
        AnswerProblem::NotHost(why) => host(*why),
        AnswerProblem::NotInteger => text::not_integer(),
        AnswerProblem::NotInChoices(choices) => text::not_in_choices(&choices.join(", ")),
        AnswerProblem::NotPath => text::not_path(),
        AnswerProblem::NotPort => text::not_port(),
        AnswerProblem::NotUrl(why) => url(why),
        AnswerProblem::OutOfRange { min, max } => text::out_of_range(&bound(min), &bound(max)),
        AnswerProblem::TooShort { min, .. } => text::too_short(*min),
        AnswerProblem::TooLong { max, .. } => text::too_long(*max),
        AnswerProblem::NotPlain(character) => text::not_plain(&format!("`{}`", character.escape_debug())),
        AnswerProblem::Pattern { hint: Some(hint), .. } => Message::from(hint),
        AnswerProblem::Pattern { pattern, hint: None } => text::pattern_mismatch(pattern),
    }
}

fn host(why: HostProblem) -> Message {
    match why {
        HostProblem::Scheme => text::host_with_scheme(),
        HostProblem::Port => text::host_with_port(),
        HostProblem::Path => text::host_with_path(),
        HostProblem::Space => text::host_with_space(),
        HostProblem::Ipv4 => text::host_not_ipv4(),
        HostProblem::NotAscii | HostProblem::Name => text::host_not_name(),
    }
}

fn url(why: &UrlProblem) -> Message {
    match why {
        UrlProblem::NoScheme => text::url_no_scheme(),
        UrlProblem::OtherScheme(scheme) => text::url_other_scheme(scheme),
        UrlProblem::Slashes => text::url_slashes(),
        UrlProblem::Space => text::url_space(),
        UrlProblem::FullWidth { found, instead } => text::url_full_width(*found, *instead),
        UrlProblem::NoHost => text::url_no_host(),
        UrlProblem::Host(why) => text::url_host(&host(*why)),
        UrlProblem::Port => text::url_port(),
        UrlProblem::PortForbidden { port, hint } => {
            text::with_hint(text::url_port_forbidden(*port), hint.as_ref())
        }
        UrlProblem::PortMissing { hint } => text::with_hint(text::url_port_missing(), hint.as_ref()),
        UrlProblem::PathForbidden { hint } => text::with_hint(text::url_path_forbidden(), hint.as_ref()),
        UrlProblem::PathMissing { hint } => text::with_hint(text::url_path_missing(), hint.as_ref()),
    }
}

#[cfg(test)]
mod tests {
    use bundle_spec::project::Localized;

    use super::*;

    #[test]
    fn a_forbidden_port_is_named_with_what_to_leave_away_and_why() {
        let hint = Some(Localized { zh: "由 nginx 转发".into(), en: "nginx passes it on".into() });
        let why = message(&AnswerProblem::NotUrl(UrlProblem::PortForbidden { port: 8000, hint }));
        assert_eq!(why.en, "it must have no port: leave :8000 away (nginx passes it on)");
        assert_eq!(why.zh, "不能带端口，请去掉“:8000”（由 nginx 转发）");
    }

    #[test]
    fn the_vendors_words_stand_for_a_pattern_and_never_a_pattern_alone() {
        let hint = Some(Localized { zh: "小写字母".into(), en: "small letters only".into() });
        let said = |hint| message(&AnswerProblem::Pattern { pattern: "[a-z]+".into(), hint });
        assert_eq!(said(hint).en, "small letters only");
        assert_eq!(said(None).zh, "不符合应用要求的格式（[a-z]+）");
    }

    #[test]
    fn what_an_input_method_typed_is_shown_with_what_was_meant() {
        let why = message(&AnswerProblem::NotUrl(UrlProblem::FullWidth { found: '：', instead: ':' }));
        assert_eq!(why.zh, "“：”是全角字符：请切换到英文输入法，改为“:”");
        assert!(why.en.contains("\"：\"") && why.en.contains("\":\""));
    }
}
