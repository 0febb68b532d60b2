//! Tests of the one parser: what every kind takes and refuses, with which reason, and what holds for all of them.

use proptest::prelude::*;

use super::*;
use crate::project::Localized;
use crate::question::{Choice, HostProblem, Presence, QuestionId, UrlProblem};

fn question(kind: QuestionKind) -> Question {
    let prompt = Localized { zh: "问".into(), en: "q".into() };
    let mut question = Question::new(QuestionId::parse("q").unwrap(), kind, prompt);
    (question.min, question.max) = (Some(1), Some(10));
    question.choices = vec![Choice::from("a"), Choice::from("b")];
    question
}

fn parsed(question: &Question, raw: &str) -> Result<String, AnswerProblem> {
    question.parse(raw).map(|answer| answer.reveal().to_owned())
}

#[test]
fn every_kind_accepts_and_refuses() {
    use QuestionKind::*;
    for (kind, good, bad) in [
        (Bool, &["yes", "TRUE", "否", "ｙ"][..], &["maybe", ""][..]),
        (Choice, &["a", " b "], &["c"]),
        (Host, &["10.0.0.1", "db.internal", "::1", "my_host"], &["10.0.0.256", "-a", "a..b", "http://x"]),
        (Integer, &["1", "10", "１０"], &["0", "11", "x", "1.5"]),
        (Path, &["/data"], &["data", "~/data", "／data"]),
        (Port, &["80", "65535", "８０"], &["0", "65536", "http"]),
        (Text, &["x y", "\u{200b}x"], &["", "a\nb", "a\u{7}", "a\u{202e}b"]),
        (Url, &["http://h", "https://10.0.0.1:8/x?y"], &["h:80", "ftp://h", "http://"]),
        (Secret, &["p w ", "x\r\n"], &["a\nb"]),
    ] {
        for value in good {
            assert!(question(kind).parse(value).is_ok(), "{kind:?} should accept {value:?}");
        }
        for value in bad {
            assert!(question(kind).parse(value).is_err(), "{kind:?} should refuse {value:?}");
        }
    }
}

#[test]
fn full_width_numbers_and_hosts_become_half_width() {
    for (kind, raw, expected) in [
        (QuestionKind::Port, "８０８０", "8080"),
        (QuestionKind::Port, "0080", "80"),
        (QuestionKind::Integer, "　１０　", "10"),
        (QuestionKind::Host, "１９２．１６８．１．５", "192.168.1.5"),
        (QuestionKind::Host, "192。168。1。5", "192.168.1.5"),
        (QuestionKind::Host, "ｄｂ", "db"),
        (QuestionKind::Host, "[fd00::5]", "fd00::5"),
        (QuestionKind::Bool, "ＹＥＳ", "true"),
    ] {
        assert_eq!(parsed(&question(kind), raw), Ok(expected.to_owned()), "{raw}");
    }
}

#[test]
fn a_refused_host_says_what_is_wrong_with_it() {
    for (raw, why) in [
        ("http://10.0.0.1", HostProblem::Scheme),
        ("10.0.0.1:8080", HostProblem::Port),
        ("10.0.0.1：8080", HostProblem::Port),
        ("db.internal/x", HostProblem::Path),
        ("10.0.0.256", HostProblem::Ipv4),
        ("10.0.0", HostProblem::Ipv4),
        ("192.168.001.005", HostProblem::Ipv4),
        ("my host", HostProblem::Space),
        ("服务器", HostProblem::NotAscii),
        ("a..b", HostProblem::Name),
        ("[x]", HostProblem::Name),
        ("a;b", HostProblem::Name),
    ] {
        assert_eq!(parsed(&question(QuestionKind::Host), raw), Err(AnswerProblem::NotHost(why)), "{raw}");
    }
}

#[test]
fn a_refused_url_says_what_is_wrong_with_it() {
    let full_width = |found, instead| UrlProblem::FullWidth { found, instead };
    for (raw, why) in [
        ("10.0.0.5:8080/v1", UrlProblem::NoScheme),
        ("localhost:8080", UrlProblem::NoScheme),
        ("www.example.com", UrlProblem::NoScheme),
        ("http//h", UrlProblem::NoScheme),
        ("ftp://h", UrlProblem::OtherScheme("ftp".into())),
        ("http:/h", UrlProblem::Slashes),
        ("http:h", UrlProblem::Slashes),
        ("http:\\\\h", UrlProblem::Slashes),
        ("http://h\\x", UrlProblem::Slashes),
        ("http://my host/x", UrlProblem::Space),
        ("http://h /x", UrlProblem::Space),
        ("http://h/a b", UrlProblem::Space),
        ("http://h　/x", UrlProblem::Space),
        ("http：//h", full_width('：', ':')),
        ("http:／／h", full_width('／', '/')),
        ("http:、、h", full_width('、', '/')),
        ("http://h：8080", full_width('：', ':')),
        ("http://192。168.1.5", full_width('。', '.')),
        ("http://192．168.1.5", full_width('．', '.')),
        ("http://１92.168.1.5", full_width('１', '1')),
        ("http://h/a？b", full_width('？', '?')),
        ("http://", UrlProblem::NoHost),
        ("http:///v1", UrlProblem::NoHost),
        ("http://:8080", UrlProblem::NoHost),
        ("http://10.0.0.256", UrlProblem::Host(HostProblem::Ipv4)),
        ("http://服务器/x", UrlProblem::Host(HostProblem::NotAscii)),
        ("http://a..b", UrlProblem::Host(HostProblem::Name)),
        ("http://h;rm", UrlProblem::Host(HostProblem::Name)),
        ("http://0x7f000001", UrlProblem::Host(HostProblem::Name)),
        ("http://[::1", UrlProblem::Host(HostProblem::Name)),
        ("http://[x]", UrlProblem::Host(HostProblem::Name)),
        ("http://h:0", UrlProblem::Port),
        ("http://h:", UrlProblem::Port),
        ("http://h:+80", UrlProblem::Port),
        ("http://h:80800", UrlProblem::Port),
        ("http://h:http", UrlProblem::Port),
        ("http://[::1]80", UrlProblem::Port),
    ] {
        assert_eq!(parsed(&question(QuestionKind::Url), raw), Err(AnswerProblem::NotUrl(why)), "{raw}");
    }
    for good in
        ["HTTP://H", "http://h:080/", "https://[fd00::5]:8443/v1", "http://h/文档", "http://a_b.c-d/x?y#z"]
    {
        assert_eq!(parsed(&question(QuestionKind::Url), good), Ok(good.to_owned()));
    }
}

#[test]
fn port_and_path_of_a_url_can_be_forbidden_or_required() {
    let hint = Some(Localized { zh: "由 nginx 转发".into(), en: "nginx passes it on".into() });
    let with = |port, path| {
        let mut question = question(QuestionKind::Url);
        (question.port, question.path, question.pattern_hint) = (port, path, hint.clone());
        question
    };
    let bare = with(Presence::Forbid, Presence::Forbid);
    let refused = |why| Err(AnswerProblem::NotUrl(why));
    assert_eq!(parsed(&bare, "http://192.168.1.100"), Ok("http://192.168.1.100".into()));
    assert_eq!(parsed(&bare, "http://192.168.1.100/"), Ok("http://192.168.1.100".into()));
    assert_eq!(
        parsed(&bare, "http://192.168.1.100:8000"),
        refused(UrlProblem::PortForbidden { port: 8000, hint: hint.clone() })
    );
    assert!(parsed(&bare, "http://[fd00::5]:80").is_err());
    for path in ["/api", "/?x", "?x", "#y"] {
        let raw = format!("http://h{path}");
        assert_eq!(parsed(&bare, &raw), refused(UrlProblem::PathForbidden { hint: hint.clone() }), "{raw}");
    }
    let whole = with(Presence::Require, Presence::Require);
    assert!(parsed(&whole, "http://h:1/v1").is_ok());
    assert_eq!(parsed(&whole, "http://h/v1"), refused(UrlProblem::PortMissing { hint: hint.clone() }));
    assert_eq!(parsed(&whole, "http://h:1/"), refused(UrlProblem::PathMissing { hint: hint.clone() }));
}

#[test]
fn secrets_keep_their_spaces_and_are_never_shown() {
    let answer = question(QuestionKind::Secret).parse(" s3cret \n").unwrap();
    assert_eq!(answer.reveal(), " s3cret ");
    assert!(answer.has_outer_space());
    assert!(!format!("{answer:?}").contains("s3cret"));
}

#[test]
fn an_address_with_a_password_in_it_is_not_shown() {
    let answer = question(QuestionKind::Url).parse("http://u:s3cret@proxy:3128").unwrap();
    assert_eq!(answer.shown(), "******");
    assert!(!question(QuestionKind::Url).parse("http://h/@x").unwrap().is_secret());
}

#[test]
fn an_answer_that_goes_into_a_template_is_plain() {
    let mut q = question(QuestionKind::Text);
    q.plain = true;
    assert!(q.parse("chat.example.com").is_ok());
    assert_eq!(q.parse("x; return 200"), Err(AnswerProblem::NotPlain(';')));
}

#[test]
fn patterns_match_the_whole_answer() {
    let mut q = question(QuestionKind::Text);
    q.pattern = Some("[a-z]+".into());
    q.pattern_hint = Some(Localized { zh: "小写字母".into(), en: "small letters".into() });
    assert!(q.parse("abc").is_ok());
    let refused = AnswerProblem::Pattern { pattern: "[a-z]+".into(), hint: q.pattern_hint.clone() };
    assert_eq!(q.parse("abc1"), Err(refused));
}

#[test]
fn lengths_are_counted_in_characters() {
    let mut q = question(QuestionKind::Password);
    (q.min_length, q.max_length) = (Some(3), Some(4));
    assert_eq!(q.parse("密码"), Err(AnswerProblem::TooShort { len: 2, min: 3 }));
    assert!(q.parse("密码一").is_ok() && q.parse("密码一二").is_ok());
    assert_eq!(q.parse("12345"), Err(AnswerProblem::TooLong { len: 5, max: 4 }));
    q.required = false;
    assert!(q.parse("").is_ok(), "empty is not short");
}

const KINDS: [QuestionKind; 10] = [
    QuestionKind::Bool,
    QuestionKind::Choice,
    QuestionKind::Host,
    QuestionKind::Integer,
    QuestionKind::Password,
    QuestionKind::Path,
    QuestionKind::Port,
    QuestionKind::Secret,
    QuestionKind::Text,
    QuestionKind::Url,
];

/// Texts near to what some kind takes, so that many are taken.
fn raw() -> impl Strategy<Value = String> {
    let address = "(http|HTTPS|ftp|)(://|：//|:/)[a-z0-9.\\[\\]:。 _-]{1,12}(:[0-9]{0,6})?[/a-z?#　 ]{0,6}";
    prop_oneof![
        any::<String>(),
        address,
        "[ \t　]?[0-9０-９+-]{1,6}[ \n]?",
        "[0-9０-９]{1,3}[.．。][0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3}",
        "(/|／)?[a-z/ \u{200b}\u{202e}]{0,9}",
        "(yes|NO|ｙ|是|a| b )",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// What an answers file gives back on the next run is what was taken in this one.
    #[test]
    fn what_is_taken_is_taken_again_and_stays_the_same(
        raw in raw(),
        kind in prop::sample::select(&KINDS[..]),
        secret in any::<bool>(),
        required in any::<bool>(),
        forbid in any::<bool>(),
    ) {
        let mut question = question(kind);
        (question.secret, question.required) = (secret, required);
        if forbid {
            question.path = Presence::Forbid;
        }
        if let Ok(answer) = question.parse(&raw) {
            prop_assert!(!answer.reveal().chars().any(crate::text::is_hostile));
            let again = question.parse(answer.reveal());
            prop_assert_eq!(again.as_ref(), Ok(&answer));
        }
    }

    /// No reason repeats an answer of some length, which may be a secret.
    #[test]
    fn no_reason_gives_an_answer_away(raw in "[a-z]{12,30}://[a-z：]{12,30}", kind in prop::sample::select(&KINDS[..])) {
        if let Err(why) = question(kind).parse(&raw) {
            let said = format!("{why} {why:?}");
            let end: String = raw.chars().skip(raw.chars().count() - 12).collect();
            prop_assert!(!said.contains(&end), "{}", said);
        }
    }
}

#[test]
fn a_number_with_too_many_digits_is_out_of_range() {
    let out = |min, max| Err(AnswerProblem::OutOfRange { min, max });
    let mut q = question(QuestionKind::Integer);
    (q.min, q.max) = (None, None);
    for text in ["9223372036854775808", "-9223372036854775809", "９９９９９９９９９９９９９９９９９９９９"]
    {
        assert_eq!(q.parse(text), out(Some(i64::MIN), Some(i64::MAX)), "{text}");
    }
    assert_eq!(q.parse("9223372036854775807").unwrap().reveal(), "9223372036854775807");
    (q.min, q.max) = (Some(1), Some(10));
    assert_eq!(q.parse("99999999999999999999"), out(Some(1), Some(10)));
    assert_eq!(q.parse("9.9"), Err(AnswerProblem::NotInteger));
}
