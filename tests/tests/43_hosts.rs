//! Machines as they are, Debian 11, 12 and 13, and the firewalls that stand before an application, from the first look
//! to the uninstallation. What is open is asked of the firewalls themselves, and of a neighbour who comes by the network.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use serde_json::{Value, json};
use tests::bundle;
use tests::machine::Machine;
use tests::parts::{self, Debian};
use tests::run::Run;
use tests::terminal::{Terminal, key};
use tests::wait;

/// The application's port, which is to be opened. The bundle names another one, too, which is open from the beginning.
const PORT: u16 = 18080;
const OPEN_BEFORE: u16 = 18443;

const INSTALL: &str = "$RUN --answers /stick/answers.toml";
const WITH_CONSENT: &str = "$RUN --answers /stick/answers.toml --set open_firewall=true";

/// A machine with the bundle plugged in.
struct Site {
    machine: Machine,
    run: String,
}

impl Site {
    fn new(debian: Debian) -> Self {
        let machine = Machine::boot_debian(debian);
        let run = machine.plug_in(&bundle::hello_with_engine().path);
        let _ = machine.write("answers.toml", &bundle::answers(PORT));
        Self { machine, run }
    }

    /// Runs a script on the machine, `$RUN` being the bundle.
    #[track_caller]
    fn sh(&self, script: &str) -> Run {
        self.machine.sh(&format!("export RUN={}; {script}", self.run)).done()
    }

    /// What a command says, without the line's end.
    #[track_caller]
    fn said(&self, script: &str) -> String {
        self.sh(script).stdout.trim().to_owned()
    }

    /// What preflight finds. It may have warnings, and changes nothing.
    fn findings(&self) -> Vec<Value> {
        let before = self.machine.tree();
        let run = self.sh("$RUN preflight --json --answers /stick/answers.toml");
        before.assert_unchanged(&self.machine.tree());
        run.events().into_iter().filter(|event| event["event"] == "finding").collect()
    }

    /// What preflight finds is this machine, and nothing that an installation would fail on.
    fn is_judged_as_it_is(&self, name: &str) {
        let findings = self.findings();
        let bad = |finding: &&Value| finding["severity"] != "pass" && finding["id"] != "answers-file";
        assert_eq!(findings.iter().find(bad), None, "{findings:#?}");
        let found = |id: &str| one(&findings, id)["found"].clone();
        assert!(found("system").as_str().unwrap().starts_with(name), "{findings:#?}");
        assert_eq!(found("system"), self.said(". /etc/os-release; echo $PRETTY_NAME"));
        let kernel = self.said("uname -r");
        assert!(one(&findings, "system")["text"]["zh"].as_str().unwrap().contains(&kernel), "{findings:#?}");
        assert_eq!(found("cores"), self.said("nproc"));
        let unified = self.said("stat --file-system --format %T /sys/fs/cgroup") == "cgroup2fs";
        assert_eq!(found("cgroup"), if unified { "2" } else { "1" });
        // One that stat knows by several names is not to be compared.
        let filesystem = self.said("findmnt --noheadings --output FSTYPE --target /var/lib");
        assert_eq!(found("filesystem"), filesystem);
    }

    /// A neighbour on a network of its own, behind whatever stands before this machine. It is gone after a power cut.
    fn meet_neighbour(&self) {
        let _ =
            self.sh("ip netns add neighbour && ip link add lan0 type veth peer name eth0 netns neighbour \
             && ip address add 10.77.0.1/24 dev lan0 && ip link set lan0 up \
             && ip -n neighbour address add 10.77.0.2/24 dev eth0 && ip -n neighbour link set eth0 up");
    }

    /// Whether the neighbour reaches the application.
    fn is_reached(&self) -> bool {
        let ask = format!(
            "ip netns exec neighbour curl --silent --fail --connect-timeout 2 http://10.77.0.1:{PORT}/health"
        );
        self.machine.sh(&ask).stdout == "ok\n"
    }

    fn cut_power(&self) {
        self.machine.cut_power();
        self.machine.power_on();
        let back = || {
            self.machine
                .sh(&format!("curl -sf http://127.0.0.1:{PORT}/health"))
                .stdout
                .contains("ok")
                .then_some(())
        };
        wait::until("the application to come back by itself", Duration::from_secs(90), back, || {
            self.machine.sh("journalctl -u docker -n 30").to_string()
        });
        self.meet_neighbour();
    }

    /// The ports that firewalld says are open in the zone that everybody comes in by, for now and for ever.
    fn firewalld(&self) -> [Vec<u16>; 2] {
        ["", "--permanent"].map(|kind| {
            let text = self.said(&format!("firewall-cmd {kind} --zone=public --list-ports"));
            let mut ports: Vec<u16> =
                text.split_whitespace().map(|port| port.trim_end_matches("/tcp").parse().unwrap()).collect();
            ports.sort_unstable();
            ports
        })
    }

    /// What ufw has been told, a rule a line.
    fn ufw(&self) -> String {
        self.said("ufw show added | grep ^ufw")
    }

    /// Everything that ufw shows and keeps of its rules, and what the kernel has of them.
    fn ufw_in_full(&self) -> String {
        self.said(
            "ufw status numbered; cat /etc/ufw/user.rules /etc/ufw/user6.rules; \
             iptables --list-rules ufw-user-input; ip6tables --list-rules ufw6-user-input",
        )
    }

    fn receipt(&self) -> Value {
        self.sh("cat /opt/hello/.airlift/receipt.json").json()
    }
}

/// The finding with this id.
#[track_caller]
fn one<'a>(findings: &'a [Value], id: &str) -> &'a Value {
    findings.iter().find(|finding| finding["id"] == id).unwrap_or_else(|| panic!("no {id} in {findings:#?}"))
}

#[test]
fn debian_12_is_as_it_was_when_the_operator_leaves_at_the_review() {
    let site = Site::new(Debian::Bookworm);
    site.is_judged_as_it_is("Debian GNU/Linux 12");
    let before = site.machine.tree();
    let mut terminal = Terminal::start(site.machine.command_on_terminal(&[&site.run, "--lang", "zh"]));
    for (question, answer) in [
        ("网页端口", PORT.to_string().as_str()),
        ("问候语", "你好"),
        ("管理员密码", bundle::PASSWORD),
        ("请再输入一次", bundle::PASSWORD),
        ("会话密钥", ""),
    ] {
        terminal.answer(question, answer);
    }
    terminal.wait_for("y 开始安装");
    terminal.send(key::CTRL_C);
    assert_eq!(terminal.end(), 130, "{terminal:?}");
    before.assert_unchanged(&site.machine.tree());
}

#[test]
fn debian_13_behind_firewalld() {
    let site = Site::new(Debian::Trixie);
    site.is_judged_as_it_is("Debian GNU/Linux 13");

    let _ = site.sh(&format!(
        "systemctl enable --now firewalld && firewall-cmd --permanent --add-port={OPEN_BEFORE}/tcp --add-port=9999/tcp \
         && firewall-cmd --reload"
    ));
    let files = "cd /etc/firewalld && find . -type f ! -name '*.old' | sort | xargs sha256sum";
    let (before, open) = (site.said(files), [9999, OPEN_BEFORE]);
    site.meet_neighbour();
    // What holds for now alone would be lost when Docker starts.
    let _ = site.sh("firewall-cmd --add-port=9998/tcp");
    let findings = site.findings();
    assert_eq!(one(&findings, "firewall-unsaved")["severity"], "warn", "{findings:#?}");
    let _ = site.sh("firewall-cmd --remove-port=9998/tcp");
    let findings = site.findings();
    assert!(findings.iter().all(|finding| finding["id"] != "firewall-unsaved"), "{findings:#?}");
    let firewall = one(&findings, "firewall");
    assert_eq!((&firewall["severity"], &firewall["needed"]), (&json!("warn"), &json!("18080")));

    // Without consent, nothing is touched.
    let _ = site.sh(INSTALL).saying("open_firewall = true");
    assert_eq!(site.firewalld(), [open, open]);
    assert!(!site.is_reached());

    let _ = site.sh(WITH_CONSENT);
    let opened = [9999, PORT, OPEN_BEFORE];
    assert_eq!(site.firewalld(), [opened, opened]);
    assert!(site.is_reached());
    let opening =
        |permanent| json!({"tool": "firewalld", "zone": "public", "permanent": permanent, "port": PORT});
    assert_eq!(site.receipt()["openings"], json!([opening(true), opening(false)]));
    let tree = site.machine.tree();
    let _ = site.sh(&format!("{WITH_CONSENT} --dry-run"));
    tree.assert_unchanged(&site.machine.tree());
    let _ = site.sh(WITH_CONSENT).saying("everything is in place");
    assert_eq!(site.firewalld(), [opened, opened]);

    site.cut_power();
    assert_eq!(site.firewalld(), [opened, opened]);
    assert!(site.is_reached());

    let _ = site.sh("echo hello | helloctl uninstall --purge");
    assert_eq!(site.firewalld(), [open, open]);
    // What the engine told firewalld is gone, too.
    assert_eq!(site.said(files), before);
}

/// Both consents are asked for where there is something to consent to: by the wizard, of one who came by sudo.
#[test]
fn debian_13_behind_ufw_by_the_wizard() {
    let site = Site::new(Debian::Trixie);
    let _ = site.sh(&format!("ufw --force enable && ufw allow {OPEN_BEFORE}/tcp"));
    let before = site.ufw();
    site.meet_neighbour();
    let _ = site.sh("useradd --create-home ops && echo 'ops ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/ops");
    let command = format!("sudo {} --lang zh", site.run);
    let mut terminal = Terminal::start(site.machine.command_on_terminal(&["su", "-", "ops", "-c", &command]));
    for (question, answer) in [
        ("网页端口", PORT.to_string().as_str()),
        ("问候语", "你好"),
        ("管理员密码", bundle::PASSWORD),
        ("请再输入一次", bundle::PASSWORD),
        ("会话密钥", ""),
        ("在本机防火墙中放行应用端口", "y"),
        ("将您登录所用的用户加入 docker 组", "y"),
        ("q 退出", "y"),
    ] {
        terminal.answer(question, answer);
    }
    assert_eq!(terminal.end(), 0, "{terminal:?}");
    let screen = terminal.screen();
    assert!(screen.contains("已安装，状态健康"), "{screen}");
    assert_eq!(site.ufw(), format!("ufw allow {OPEN_BEFORE}/tcp\nufw allow {PORT}/tcp comment 'hello'"));
    assert!(site.is_reached());
    assert_eq!(site.said("id --name --groups ops"), "ops docker");
    let _ = site.sh("echo hello | helloctl uninstall --purge");
    assert_eq!(site.ufw(), before);
    assert_eq!(site.said("id --name --groups ops"), "ops");
}

/// The first rule of ufw that is about a connection decides: ours would be of no use behind such ones.
#[test]
fn rules_of_ufw_that_refuse_more_than_the_port_do_not_keep_it_shut_and_come_back_as_they_were() {
    let site = Site::new(Debian::Trixie);
    let _ = site.sh(&format!("ufw --force enable && ufw allow {OPEN_BEFORE}/tcp && ufw deny from 192.0.2.7"));
    site.meet_neighbour();
    let first = format!("ufw deny {PORT}");
    let second = format!(
        "ufw delete deny {PORT} && ufw deny 18000:18100/tcp && ufw reject log {PORT}/tcp comment 'not yet' && ufw allow 22/tcp"
    );
    for refusal in [first, second] {
        let _ = site.sh(&refusal);
        let before = site.ufw_in_full();
        let findings = site.findings();
        let firewall = one(&findings, "firewall");
        assert_eq!((&firewall["severity"], &firewall["needed"]), (&json!("warn"), &json!("18080")));
        let advice = format!("ufw insert 3 allow {PORT}/tcp");
        assert!(firewall["todo"]["en"].as_str().unwrap().contains(&advice), "{firewall}");

        let _ = site.sh(WITH_CONSENT);
        assert!(site.is_reached(), "{}", site.ufw_in_full());
        let status = site.said("ufw status numbered");
        let ours = status.lines().find(|line| line.starts_with("[ 3]")).unwrap();
        assert!(ours.contains("18080/tcp") && ours.contains("ALLOW IN"), "{status}");
        let findings = site.findings();
        assert_eq!(one(&findings, "firewall")["severity"], "pass", "{findings:#?}");
        let _ = site.sh(WITH_CONSENT).saying("everything is in place");

        // Somebody shuts it again, in front of ours: then it is open no more, and consent opens it again.
        let _ = site.sh("ufw insert 1 reject 18000:18200/tcp");
        assert!(!site.is_reached());
        let _ = site.sh(WITH_CONSENT);
        assert!(site.is_reached(), "{}", site.ufw_in_full());
        let _ = site.sh("ufw --force delete reject 18000:18200/tcp");

        let _ = site.sh("echo hello | helloctl uninstall --purge");
        assert_eq!(site.ufw_in_full(), before);
        assert!(!site.is_reached());
    }
}

#[test]
fn debian_11_behind_firewalld_then_ufw_for_one_who_came_by_sudo() {
    let site = Site::new(Debian::Bullseye);
    site.is_judged_as_it_is("Debian GNU/Linux 11");
    let _ = site.machine.plug_in(&parts::libc());
    let _ = site.sh("DEBIAN_FRONTEND=noninteractive dpkg --install /stick/libc6.deb");

    // Interfaces that nobody has put into a zone are in the default one, which this firewalld does not name where another is active.
    let _ = site
        .sh("systemctl enable --now firewalld && firewall-cmd --zone=internal --add-source=10.99.0.0/16 \
         && firewall-cmd --runtime-to-permanent");
    let _ = site.sh("firewall-cmd --get-active-zones | grep --invert-match public");
    site.meet_neighbour();
    let _ = site.sh("useradd --create-home ops && echo 'ops ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/ops");
    let by_sudo = |options: &str| {
        let command = format!("sudo {} --answers /stick/answers.toml {options}", site.run);
        site.sh(&format!("su - ops -c '{command}'"))
    };
    let groups = || site.said("id --name --groups ops");
    let _ = by_sudo("--set docker_group=true --set open_firewall=true").saying("from the next login on");
    assert_eq!(groups(), "ops docker");
    let _ = site.sh("su - ops -c 'docker ps'").saying("hello/web:1.0");
    assert_eq!(site.firewalld(), [[PORT, OPEN_BEFORE], [PORT, OPEN_BEFORE]]);
    assert!(site.is_reached());

    // Another firewall, with rules for our ports.
    let _ = site.sh(&format!(
        "systemctl disable --now firewalld; ufw --force enable && ufw deny {PORT}/tcp comment 'not yet' && ufw limit {OPEN_BEFORE}/tcp"
    ));
    let before = site.ufw();
    let findings = site.findings();
    // The consent of the first run still counts.
    let firewall = one(&findings, "firewall");
    assert!(
        firewall["text"]["en"].as_str().unwrap().starts_with("ufw is active; the installation will open"),
        "{firewall}"
    );
    assert!(!site.is_reached());
    let _ = by_sudo("--set docker_group=false --set open_firewall=true");
    assert_eq!(groups(), "ops");
    let opened = format!("ufw allow {PORT}/tcp comment 'hello'\nufw limit {OPEN_BEFORE}/tcp");
    assert_eq!(site.ufw(), opened);
    assert!(site.is_reached());
    let _ = site.sh(WITH_CONSENT).saying("everything is in place");

    site.cut_power();
    assert_eq!(site.ufw(), opened);
    let _ = site.sh("ufw status").saying("Status: active").saying("18080/tcp                  ALLOW");
    assert!(site.is_reached());

    let _ = by_sudo("--set docker_group=true");
    assert_eq!(groups(), "ops docker");
    let _ = site.sh("su - ops -c 'sudo helloctl uninstall --yes'");
    assert_eq!(site.ufw(), before);
    assert_eq!(groups(), "ops");
    // The firewall that does not run keeps nothing of ours for the day on which it does.
    let _ = site.sh("systemctl start firewalld");
    assert_eq!(site.firewalld(), [[0; 0], [0; 0]]);
}
