//! Definitions that are wrong: everything at once, exit code 2, nothing written.

use crate::pack::packable;
use crate::sandbox::{APP, Sandbox};

#[test]
fn all_problems_are_listed_with_their_places() {
    let sandbox = packable();
    sandbox.write(
        "airlift.toml",
        format!(
            "{APP}[complse]\nfile = \"x\"\n[[image]]\nrefrence = \"a\"\n[requirements]\nmemory = \"4 XB\"\n"
        ),
    );
    let before = sandbox.names();
    for verb in ["pack", "lint"] {
        let _ = sandbox.airlift(&[verb]).fails(
            2,
            &[
                "airlift.toml:5:2: unknown key `complse`: did you mean `compose`?",
                "airlift.toml:7:1: `reference` is missing in [[image]]",
                "airlift.toml:8:1: unknown key `refrence` in [[image]]: did you mean `reference`?",
                "airlift.toml:10:10: requirements.memory: `4 XB` is not a size",
            ],
        );
    }
    assert_eq!(sandbox.names(), before);
}

#[test]
fn no_definition_and_no_compose_file_say_what_to_do() {
    let sandbox = Sandbox::new();
    let _ = sandbox.airlift(&["pack"]).fails(2, &["cannot read the definition airlift.toml", "airlift init"]);
    std::fs::remove_file(sandbox.path("docker-compose.yml")).unwrap();
    sandbox.write("airlift.toml", APP);
    let _ = sandbox.airlift(&["pack"]).fails(2, &["there is no Compose file", "docker-compose.yml"]);
}

#[test]
fn files_that_cannot_be_packed_are_listed_together() {
    let sandbox = packable();
    sandbox.write(".env", "SECRET=1");
    sandbox.write("airlift.toml", format!("{APP}[[file]]\ninclude = [\".env\", \"nothing/*\"]\n"));
    let _ = sandbox.airlift(&["pack"]).fails(2, &[".env cannot be packed", "\"nothing/*\" matches nothing"]);
}

#[test]
fn usage_errors_end_with_2() {
    let sandbox = Sandbox::new();
    for args in [
        &["pakc"][..],
        &["pack", "--level", "23"],
        &["pack", "--engine-docker", "x"],
        &["export", "x.run"],
        &[],
    ] {
        let _ = sandbox.airlift(args).fails(2, &[]);
    }
}
