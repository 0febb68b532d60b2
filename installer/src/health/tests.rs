//! Tests of judging containers.

use bundle_spec::project::Localized;
use bundle_spec::question::{Question, QuestionId, QuestionKind};

use super::*;

fn container(service: &str, state: &str) -> Container {
    Container {
        id: "0".repeat(64),
        name: service.to_owned(),
        service: service.to_owned(),
        state: state.to_owned(),
        health: None,
        health_output: None,
        exit_code: 0,
        restarts: 0,
        out_of_memory: false,
        pid: 1,
        restarts_by_itself: true,
        stays_up: true,
        started_at: String::new(),
        working_dir: "/opt/shop".to_owned(),
        binds: vec![],
        published: vec![],
    }
}

/// A connection that broke while services were starting ended an installation that was about to be healthy, without a word on what
/// to do.
#[test]
fn a_lost_answer_of_the_engine_does_not_end_an_installation_and_many_in_a_row_say_what_to_do() {
    let answers = |lost: usize| {
        let mut asked = 0;
        patiently(move || {
            asked += 1;
            let refused = || EngineError::Refused { operation: "list containers", reply: "no".to_owned() };
            if asked > lost { Ok(asked) } else { Err(refused()) }
        })
    };
    assert_eq!(answers(2).unwrap(), 3);
    let failure = answers(usize::MAX).unwrap_err();
    assert_eq!(failure.code, Code::Unhealthy);
    assert!(failure.todo.unwrap().en.contains("run the same command again"));
}

/// An engine that broke the connection while Compose started the services was told as an application that is not healthy, with exit
/// code 6 and the advice to look at its logs.
#[test]
fn a_service_that_was_not_started_has_no_trouble_of_its_own() {
    let with = |state: &str, health: Option<&str>, exit_code, stays_up| Container {
        health: health.map(str::to_owned),
        exit_code,
        stays_up,
        ..container("web", state)
    };
    for not_ill in [
        with("created", None, 0, true),
        with("created", None, 128, true),
        with("running", None, 0, true),
        with("running", Some("starting"), 0, true),
        with("exited", None, 0, false),
    ] {
        assert!(!not_ill.is_ill(), "{not_ill:?}");
    }
    for ill in [
        with("exited", None, 3, false),
        with("exited", None, 0, true),
        with("restarting", None, 1, true),
        with("running", Some("unhealthy"), 0, true),
        Container { out_of_memory: true, ..container("web", "running") },
    ] {
        assert!(ill.is_ill(), "{ill:?}");
    }
}

fn verdict(container: Container) -> Verdict {
    judge(&["web".to_owned()], &[], &[container])[0].verdict
}

#[test]
fn running_is_well_unless_health_says_otherwise() {
    assert_eq!(verdict(container("web", "running")), Verdict::Well);
    for (health, expected) in
        [("healthy", Verdict::Well), ("starting", Verdict::Waiting), ("unhealthy", Verdict::Waiting)]
    {
        let with_health = Container { health: Some(health.to_owned()), ..container("web", "running") };
        assert_eq!(verdict(with_health), expected, "{health}");
    }
}

#[test]
fn a_one_shot_that_ended_well_is_well_and_one_that_failed_is_not_waited_for() {
    let one_shot = Container { restarts_by_itself: false, stays_up: false, ..container("web", "exited") };
    assert_eq!(verdict(one_shot.clone()), Verdict::Well);
    assert_eq!(verdict(Container { exit_code: 3, ..one_shot }), Verdict::Failed);
}

#[test]
fn a_service_that_restarts_by_itself_is_given_time() {
    let crashed = Container { exit_code: 1, restarts: 4, ..container("web", "restarting") };
    assert_eq!(verdict(crashed), Verdict::Waiting);
    assert_eq!(verdict(Container { out_of_memory: true, ..container("web", "exited") }), Verdict::Failed);
}

#[test]
fn what_is_not_well_at_rest_has_failed() {
    let at_rest = |container: Container| {
        let mut judged = judge(&["web".to_owned()], &[], std::slice::from_ref(&container));
        give_up(&mut judged[0], &[container]);
        judged[0].verdict
    };
    let with = |state: &str, health: Option<&str>| Container {
        health: health.map(str::to_owned),
        exit_code: 1,
        ..container("web", state)
    };
    assert_eq!(at_rest(with("restarting", None)), Verdict::Failed);
    assert_eq!(at_rest(with("exited", None)), Verdict::Failed);
    assert_eq!(at_rest(with("running", Some("unhealthy"))), Verdict::Failed);
    assert_eq!(at_rest(with("running", Some("starting"))), Verdict::Waiting);
    assert_eq!(at_rest(with("running", None)), Verdict::Well);
}

#[test]
fn stopped_is_told_from_broken() {
    let exited = |exit_code, stays_up| Container { exit_code, stays_up, ..container("web", "exited") };
    assert!(is_stopped(&[exited(137, true), exited(1, true)]));
    assert!(is_stopped(&[exited(143, false)]));
    assert!(!is_stopped(&[exited(1, false)]), "it ended by itself, and badly");
    assert!(!is_stopped(&[exited(137, true), container("db", "running")]));
    assert!(!is_stopped(&[]));
}

#[test]
fn a_service_without_container_is_not_well() {
    let judged = judge(&["web".to_owned(), "db".to_owned()], &[], &[container("web", "running")]);
    assert_eq!(judged[1].name, "db");
    assert_eq!(judged[1].verdict, Verdict::Waiting);
}

#[test]
fn a_service_that_is_scaled_to_none_is_well_without_container() {
    let (web, batch) = ("web".to_owned(), "batch".to_owned());
    let containers = [container("web", "running")];
    let judged = judge(&[web.clone(), batch.clone()], std::slice::from_ref(&batch), &containers);
    assert_eq!(judged[1].verdict, Verdict::Well);
    // It is not asked for, but somebody has started one all the same: then it counts.
    let judged = judge(&[web, batch.clone()], std::slice::from_ref(&batch), &[container("batch", "dead")]);
    assert_eq!(judged[1].verdict, Verdict::Waiting);
}

fn page_check() -> Check {
    Check {
        name: "page".to_owned(),
        title: None,
        url: "http://127.0.0.1/".to_owned(),
        status: 200,
        contains: None,
        timeout: 60,
    }
}

#[test]
fn a_check_is_given_its_own_time_and_no_more() {
    let check = |name: &str, timeout| Check { name: name.to_owned(), timeout, ..page_check() };
    let waiting = |name: &str| health(name, Verdict::Waiting, Message::verbatim(""));
    let mut observed = [waiting("web"), waiting("short"), waiting("long")];
    give_up_late_checks(&mut observed, &[check("short", 3), check("long", 60)], Duration::from_secs(4));
    assert_eq!(observed.map(|health| health.verdict), [Verdict::Waiting, Verdict::Failed, Verdict::Waiting]);
}

#[test]
fn a_check_says_what_was_wanted_and_what_came() {
    let check = Check { contains: Some("nope".to_owned()), ..page_check() };
    let body = format!("<h1>\n  hello\u{1b}[2J</h1>{}", "x".repeat(300));
    let judged = judge_reply(&check, "http://h/", 200, &body, &Veil::default());
    assert_eq!(judged.verdict, Verdict::Waiting);
    assert_eq!(judged.text.en, "http://h/ answers without the wanted text \"nope\"");
    let came = judged.came.unwrap();
    assert!(came.starts_with("<h1> hello\\u{1b}[2J</h1>xxx") && came.ends_with("x…"), "{came}");
    let well = judge_reply(&check, "http://h/", 200, "nope", &Veil::default());
    assert_eq!((well.verdict, well.came), (Verdict::Well, None));
    let wrong = judge_reply(&check, "http://h/", 502, "bad gateway", &Veil::default());
    assert_eq!(wrong.came.as_deref(), Some("bad gateway"));
    assert!(wrong.text.en.contains("502 instead of 200"), "{}", wrong.text.en);
}

/// What follows from answers is proven on the running application: a port too many is another text.
#[test]
fn a_check_wants_what_was_answered() {
    let mut answers = Answers::default();
    let id = QuestionId::parse("page").unwrap();
    let prompt = Localized { zh: String::new(), en: String::new() };
    let page = Question::new(id.clone(), QuestionKind::Url, prompt);
    answers.insert(id, page.parse("http://h").unwrap());
    let wanted = |contains: &str| Check { contains: Some(contains.to_owned()), ..page_check() };
    let judged = |contains: &str| {
        let check = with_answers(&wanted(contains), &answers);
        judge_reply(&check, "http://h/", 200, "URL = \"http://h\"; {\"ok\":1}", &Veil::default()).verdict
    };
    assert_eq!(judged("URL = \"{page}\";"), Verdict::Well);
    assert_eq!(judged("{\"ok\":1}"), Verdict::Well);
    for wrong in ["URL = \"{page}:8000\";", "{none}"] {
        assert_eq!(judged(wrong), Verdict::Waiting, "{wrong}");
    }
}

#[test]
fn an_answer_that_changes_by_itself_is_no_news() {
    let check = Check { contains: Some("nope".to_owned()), ..page_check() };
    let at = |time: &str| judge_reply(&check, "http://h/", 200, time, &Veil::default());
    assert_eq!(at("12:00").news(), at("12:01").news());
    assert_ne!(at("12:00").news(), judge_reply(&check, "http://h/", 500, "12:00", &Veil::default()).news());
}

#[test]
fn a_service_that_has_just_been_started_is_not_proven_by_one_look() {
    let now = humantime::parse_rfc3339("2026-01-01T00:00:10Z").unwrap();
    let steady = |container: &Container| is_steady(container, now);
    let since = |started_at: &str| Container { started_at: started_at.into(), ..container("web", "running") };
    for (started_at, expected) in [
        ("2026-01-01T00:00:05Z", true),
        ("2026-01-01T00:00:04.123456789Z", true),
        ("2026-01-01T00:00:07.123456789Z", false),
        ("2026-01-01T00:00:11Z", false),
        ("", false),
    ] {
        assert_eq!(steady(&since(started_at)), expected, "{started_at}");
    }
    let crashed = Container { state: "restarting".into(), ..since("2026-01-01T00:00:01Z") };
    assert!(!steady(&crashed));
}

#[test]
fn a_service_that_crashed_between_two_looks_is_not_taken_for_none() {
    let web = container("web", "running");
    let crashed = Container { state: "restarting".into(), ..web.clone() };
    let restarted = Container { restarts: 1, ..web.clone() };
    let with_health = Container { health: Some("healthy".into()), ..web.clone() };
    let migrated = Container { restarts_by_itself: false, stays_up: false, ..container("migrate", "exited") };
    let of = |container: &Container| lives(std::slice::from_ref(container));
    assert_eq!(of(&crashed).len(), 1);
    assert_ne!(of(&crashed), of(&web));
    assert_ne!(of(&restarted), of(&web));
    assert!(of(&with_health).is_empty() && of(&migrated).is_empty());
}
