//! What somebody has changed since the installation, and what is then taken back, or put right: only what is ours, all of it, and
//! never by passing over what could not be asked. On a machine where an engine was brought.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use tests::bundle;
use tests::machine::Machine;
use tests::run::Run;
use tests::tree::Tree;

const PORT: u16 = 18080;

const PURGE: &str = "echo hello | $RUN uninstall --purge --lang en";

/// A fresh machine with the bundle on its stick.
struct Site {
    machine: Machine,
    run: String,
    before: Tree,
}

impl Site {
    fn new() -> Self {
        Self::prepared("true")
    }

    /// On a machine where somebody has run a script before.
    fn prepared(script: &str) -> Self {
        let machine = Machine::boot();
        let _ = machine.sh(script).done();
        let run = machine.plug_in(&bundle::hello_with_engine().path);
        let _ = machine.write("answers.toml", &bundle::answers(PORT));
        let before = machine.tree();
        Self { machine, run, before }
    }

    /// Runs a script on the machine, `$RUN` being the bundle.
    fn sh(&self, script: &str) -> Run {
        self.machine.sh(&format!("export RUN={}; {script}", self.run))
    }

    fn install(&self) -> Run {
        self.sh("$RUN --answers /stick/answers.toml --lang en")
    }

    fn assert_as_before(&self) {
        let changes = self.before.changes(&self.machine.tree());
        // The group files were rewritten by the system's own tools, which keep the old ones beside them.
        let group = |line: &str| ["etc/group", "etc/gshadow"].iter().any(|file| line[2..].starts_with(file));
        let others: Vec<_> = changes.iter().filter(|line| !group(line)).collect();
        assert!(others.is_empty(), "{others:#?}");
        let gone = "! getent group docker && ! systemctl cat docker.service && ! test -e /var/lib/docker && ! pgrep -a 'dockerd|containerd'";
        let _ = self.sh(gone).done();
    }
}

/// It was called "in use" and left behind, its record with it.
#[test]
fn an_engine_that_does_not_start_goes_if_it_is_empty_and_else_keeps_its_record() {
    let site = Site::new();
    // Nothing that a preflight sees, and no dockerd starts with it.
    let _ = site.sh("mkdir /run/docker.pid").done();
    let _ = site.install().expect(1).saying("uninstall --purge");
    let _ = site.sh(PURGE).done();
    let _ = site.sh("rmdir /run/docker.pid").done();
    site.assert_as_before();

    let _ = site.install().done();
    let _ = site.sh("systemctl stop docker.service docker.socket; mkdir -p /run/docker.pid");
    let why = ["did not start", "Nothing has been removed", "rm -rf /var/lib/docker"];
    for command in [PURGE, "$RUN uninstall --yes --lang en"] {
        let refused = site.sh(command).expect(1);
        let _ = why.iter().fold(refused, |refused, words| refused.saying(words));
    }
    let _ = site.sh("test -f /opt/hello/.airlift/receipt.json && helloctl status --lang en").expect(6);
    let _ = site.sh("rmdir /run/docker.pid").done();
    let _ = site.sh(PURGE).done();
    site.assert_as_before();
}

/// Their service was stopped and their data deleted, since ours had been there before.
#[test]
fn an_engine_that_somebody_has_installed_since_goes_on_with_all_that_it_uses() {
    let site = Site::new();
    let _ = site.install().done();
    let take_over = "systemctl stop docker.service && rm /usr/bin/docker && cp /usr/local/libexec/airlift/* /usr/bin/ && \
                     sed -i 's,/usr/local/libexec/airlift,/usr/bin,g; /Airlift/d' /etc/systemd/system/docker.service && \
                     systemctl daemon-reload && systemctl start docker.service && systemctl show -p MainPID docker.service";
    let theirs = site.sh(take_over).done().stdout;
    let _ = site.sh(PURGE).done().saying("Another Docker engine has been installed");
    assert_eq!(site.sh("systemctl show -p MainPID docker.service").done().stdout, theirs);
    let _ = site.sh("docker info && test -d /var/lib/docker && getent group docker").done();
    assert_eq!(site.sh("docker ps -aq; docker image ls -q").done().stdout, "");
    let _ = site.sh("ls -d /usr/local/libexec/airlift /opt/hello /usr/local/bin/helloctl").expect(2);
}

/// A purge emptied the directory on the other side of the mount, and then could not go on.
#[test]
fn what_somebody_has_mounted_in_the_project_is_not_emptied() {
    let site = Site::new();
    let _ = site.install().done();
    let _ = site
        .sh("mkdir -p /srv/models /opt/hello/models && echo weights >/srv/models/large && \
                     mount --bind /srv/models /opt/hello/models")
        .done();
    let _ = site.sh(PURGE).expect(2).saying("/opt/hello/models").saying("umount /opt/hello/models");
    let _ = site.sh("test -f /opt/hello/models/large && helloctl status").done();
    // Another project that was started under our name since would lose its containers.
    let _ = site.sh("umount /opt/hello/models && mkdir /srv/other && cp /opt/hello/docker-compose.yml /opt/hello/.env /srv/other/ && \
                     docker run -d --label com.docker.compose.project=hello --label com.docker.compose.project.working_dir=/srv/other \
                     --name theirs hello/web:1.0 sleep 1000").done();
    let _ = site.sh(PURGE).expect(1).saying("/srv/other").saying("Nothing has been removed");
    let _ = site.sh("docker inspect theirs && helloctl status").done();
    let _ = site.sh("docker rm -f theirs && rm -r /srv/other").done();
    let _ = site.sh(PURGE).done();
    let _ = site.sh("cat /srv/models/large && rm -r /srv/models").done().saying("weights");
    site.assert_as_before();
}

/// It was completed by the installation and stayed so; the data at the place that it names was not looked at, and stayed, too.
#[test]
fn an_operators_daemon_json_comes_back_as_it_was_and_no_data_stays_where_it_says() {
    let settings = r#"{"registry-mirrors":["https://mirror.internal"],   "data-root": "/opt/data/docker" }"#;
    let write = format!(
        "mkdir -m 0750 /etc/docker && echo '{settings}' >/etc/docker/daemon.json && chmod 0640 /etc/docker/daemon.json"
    );
    let site = Site::prepared(&write);
    let _ = site.install().done();
    let _ = site
        .sh("grep -q mirror.internal /etc/docker/daemon.json && grep -q max-size /etc/docker/daemon.json")
        .done();
    let _ = site.sh("test -d /opt/data/docker/containers && ! test -e /var/lib/docker/containers").done();
    // It cannot be asked, and is not passed over for that.
    let _ = site.sh("systemctl stop docker.service; mkdir -p /run/docker.pid");
    let _ = site.sh(PURGE).expect(1).saying("rm -rf /opt/data/docker");
    let _ = site.sh("rmdir /run/docker.pid").done();
    // Where it cannot be understood any more, nobody knows where the engine is, and a full one must not pass for none.
    let _ = site.sh("cp -a /etc/docker/daemon.json /root/ && systemctl stop docker.service && sed -i 's/,/,,/' /etc/docker/daemon.json").done();
    let _ = site.sh(PURGE).expect(1).saying("/etc/docker/daemon.json");
    let _ = site.sh("cp -a /root/daemon.json /etc/docker/ && rm /root/daemon.json && test -f /opt/hello/.airlift/receipt.json").done();
    // A second run completes it no further.
    let _ = site.install().done();
    let _ = site.sh(PURGE).done();
    let _ = site.sh("rm -f /run/docker.pid");
    site.assert_as_before();
    // What somebody has written over ours since is theirs.
    let _ = site.install().done();
    let theirs =
        "sed -i 's/mirror.internal/other.internal/' /etc/docker/daemon.json && cat /etc/docker/daemon.json";
    let theirs = site.sh(theirs).done().stdout;
    let _ = site.sh(PURGE).done().saying("/etc/docker/daemon.json.original");
    assert_eq!(site.sh("cat /etc/docker/daemon.json").done().stdout, theirs);
    let former = site.sh("cat /etc/docker/daemon.json.original").done().stdout;
    assert_eq!(former, format!("{settings}\n"));
}

/// A plain uninstallation unmounted it; a purge unmounted it with the data on it.
#[test]
fn a_disk_for_the_data_of_a_private_engine_stays_mounted_until_a_purge_has_emptied_it() {
    let site = Site::new();
    let install = "$RUN --answers /stick/answers.toml --lang en --engine private --yes";
    let _ = site.sh(install).done();
    let move_to_disk = "/opt/hello/bin/helloctl stop && mkdir -p /opt/disk /srv/volume && cp -a /opt/hello/engine/data/. /opt/disk && \
                        rm -r /opt/hello/engine/data && mkdir /opt/hello/engine/data && mount --bind /opt/disk /opt/hello/engine/data && \
                        /opt/hello/bin/helloctl start";
    let _ = site.sh(move_to_disk).done();
    let _ = site.sh("$RUN uninstall --yes --lang en").done();
    let stays = "mountpoint /opt/hello/engine/data && test -d /opt/disk/containers";
    let _ = site.sh(&format!("{stays} && ! grep -e ' /opt/hello/engine/exec' -e merged /proc/mounts")).done();
    let _ = site.sh(install).done();
    // What somebody has mounted further below is not deleted.
    let _ = site
        .sh("echo precious >/srv/volume/file && mkdir /opt/hello/engine/data/volumes/x && \
                     mount --bind /srv/volume /opt/hello/engine/data/volumes/x")
        .done();
    let _ = site.sh(PURGE).done();
    let _ = site.sh("cat /srv/volume/file && test -z \"$(ls -A /opt/disk)\" && ! test -e /opt/hello").done();
}

/// The directory was emptied, the record with it, and the run ended as a failure that no later one could mend.
#[test]
fn a_project_that_was_moved_and_left_a_link_is_purged() {
    let site = Site::new();
    let _ = site.sh("mkdir /srv/app && ln -s /srv/app /opt/hello").done();
    let _ = site.sh("$RUN --answers /stick/answers.toml --lang en --engine private").done();
    let _ = site.sh("/opt/hello/bin/helloctl stop && mv /srv/app/engine/data /srv/data && ln -s /srv/data /srv/app/engine/data").done();
    let _ = site.sh("/opt/hello/bin/helloctl start && /opt/hello/bin/helloctl status").done();
    let _ = site.sh(PURGE).done();
    let _ = site.sh("ls -d /srv/app /srv/data /opt/hello; pgrep -a 'dockerd|containerd'").expect(1);
    site.assert_as_before();
}

/// What was known of the engine went with the application, and no later purge could take it away.
#[test]
fn an_engine_that_was_kept_for_others_goes_with_the_last_of_them() {
    let site = Site::new();
    let _ = site.install().done();
    let fill = "docker run -d --name other hello/web:1.0 sleep 1000 && docker volume create precious";
    let empty = "docker rm -f other && docker volume rm precious && docker image prune -af";
    let _ = site.sh(fill).done();
    let _ = site.sh(PURGE).done().saying("The Docker engine stays");
    // It was stopped when the application came again: what is known of its beginning must not be lost.
    let _ = site.sh("systemctl stop docker.service").done();
    let _ = site.install().done();
    let _ = site.sh(PURGE).done().saying("The Docker engine stays");
    // It ran when the application came again: an engine that was there, as far as that one knew.
    let _ = site.sh(empty).done();
    let _ = site.install().done();
    let _ = site.sh(PURGE).done().saying("Removing the engine");
    site.assert_as_before();

    // Nothing comes again: the file itself takes it away.
    let _ = site.install().done();
    let _ = site.sh(fill).done();
    let _ = site.sh(PURGE).done();
    let _ = site.sh(PURGE).done().saying("The Docker engine stays");
    let _ = site.sh(empty).done();
    let _ = site.sh("echo wrong | $RUN uninstall --purge --lang en").expect(2);
    let _ = site.sh(PURGE).done().saying("The Docker engine is removed");
    site.assert_as_before();
    let _ = site.sh(PURGE).expect(2);
}

/// The file was written anew and the containers went on with what it had said before; and without it, nobody was told what to do.
#[test]
fn settings_that_somebody_has_changed_by_hand_are_put_back_into_the_containers_too() {
    let site = Site::new();
    let _ = site.install().done();
    let form = "{{range .Config.Env}}{{println .}}{{end}}";
    let ask = format!("docker inspect -f '{form}' hello-web-1 | sed -n s/^GREETING=//p");
    let greeting = || site.sh(&ask).done().stdout;
    let before = greeting();
    let env = site.sh("cat /opt/hello/.env").done().stdout;
    let _ = site.sh("sed -i 's/^GREETING=.*/GREETING=other/' /opt/hello/.env && helloctl restart").done();
    assert_eq!(greeting(), "other\n");
    let _ = site.install().done().saying("/opt/hello/.env was changed by hand (GREETING)");
    assert_eq!((greeting(), site.sh("cat /opt/hello/.env").done().stdout), (before, env.clone()));
    let _ = site.install().done().never_saying("by hand").saying("everything is in place");

    let _ = site.sh("rm /opt/hello/.env").done();
    let _ = site
        .sh("helloctl restart --lang en")
        .expect(1)
        .saying("/opt/hello/.env is missing")
        .saying("hello-1.0.0.run");
    let _ = site.install().done();
    assert_eq!(site.sh("cat /opt/hello/.env").done().stdout, env);
}
