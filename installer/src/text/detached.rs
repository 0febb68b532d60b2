//! Work that goes on without a terminal, and those who look on.

use super::{Message, messages};

messages! {
    cannot_start_worker()
        en "The installer cannot start its second process."
        zh "安装程序无法启动工作进程。";
    worker_died(pid: u32)
        en "The process that installs ({pid}) has ended without a word. Somebody has killed it, or the kernel has because memory ran out."
        zh "安装进程（进程号 {pid}）意外终止：可能被强制结束，或因内存不足被系统结束。";
    ask_twice(seconds: u64)
        en "The installation goes on. Press Ctrl-C once more within {seconds} s to stop it. If you close this terminal it goes on too; run the same file again to come back."
        zh "安装仍在进行。如需停止，请在 {seconds} 秒内再按一次 Ctrl-C。关闭此终端不影响安装；再次运行同一文件即可回到此画面。";
    other_bundle(version: &str)
        en "It installs version {version} from another file."
        zh "正在进行的安装使用另一个文件，版本为 {version}。";
    other_engine()
        en "It uses another --engine."
        zh "正在进行的安装使用的 --engine 不同。";
    other_answer(id: &str)
        en "It was given another answer to {id}."
        zh "正在进行的安装中 {id} 的取值不同。";
}

/// A time for people.
pub fn duration(seconds: u64) -> Message {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let (en, zh) = match (days, hours, minutes) {
        (0, 0, 0) => (format!("{seconds} s"), format!("{seconds} 秒")),
        (0, 0, _) => (format!("{minutes} min"), format!("{minutes} 分钟")),
        (0, _, _) => {
            (format!("{hours} h {} min", minutes % 60), format!("{hours} 小时 {} 分钟", minutes % 60))
        }
        _ => (format!("{days} d {} h", hours % 24), format!("{days} 天 {} 小时", hours % 24)),
    };
    Message { en, zh }
}

/// Looks on at an installation that runs already.
pub fn attached(pid: u32, duration: &Message) -> Message {
    Message {
        en: format!(
            "An installation is under way (process {pid}, for {}). This is how it goes; nothing new is started.",
            duration.en
        ),
        zh: format!("安装正在进行（进程号 {pid}，已运行 {}）。以下为其进度，不会启动新的安装。", duration.zh),
    }
}

/// Something else is asked for.
pub fn busy(pid: u32, duration: &Message) -> Message {
    Message {
        en: format!(
            "Another installation is under way (process {pid}, for {}), and it is not the one asked for.",
            duration.en
        ),
        zh: format!("另一个安装正在进行（进程号 {pid}，已运行 {}），与本次要求不一致。", duration.zh),
    }
}

/// For `status`.
pub fn running(pid: u32, duration: &Message) -> Message {
    Message {
        en: format!("An installation is under way (process {pid}, for {}).", duration.en),
        zh: format!("安装正在进行（进程号 {pid}，已运行 {}）。", duration.zh),
    }
}

/// For `status`, with the step.
pub fn running_step(pid: u32, duration: &Message, number: usize, count: usize, title: &Message) -> Message {
    Message {
        en: format!(
            "An installation is under way (process {pid}, for {}). Step {number} of {count}: {}",
            duration.en, title.en
        ),
        zh: format!(
            "安装正在进行（进程号 {pid}，已运行 {}）。第 {number} 步，共 {count} 步：{}",
            duration.zh, title.zh
        ),
    }
}

/// The last run has left no word.
pub fn last_was_broken_off(ago: &Message) -> Message {
    Message {
        en: format!(
            "The run that was started {} ago was broken off before its end (a power cut, or it was killed). This one goes on from there.",
            ago.en
        ),
        zh: format!("{}前启动的安装未完成即中断（断电或被强制结束）。本次将从中断处继续。", ago.zh),
    }
}

/// The last run ended well with nobody there.
pub fn last_ended_well(ago: &Message, text: &Message) -> Message {
    Message {
        en: format!("The run that was started {} ago has ended well: {}", ago.en, text.en),
        zh: format!("{}前启动的安装已成功完成：{}", ago.zh, text.zh),
    }
}

/// The last run failed.
pub fn last_failed(ago: &Message, text: &Message) -> Message {
    Message {
        en: format!("The run that was started {} ago has failed: {}", ago.en, text.en),
        zh: format!("{}前启动的安装失败：{}", ago.zh, text.zh),
    }
}

/// The last run was stopped.
pub fn last_was_stopped(ago: &Message) -> Message {
    Message {
        en: format!(
            "The run that was started {} ago was stopped before its end. This one goes on from there.",
            ago.en
        ),
        zh: format!("{}前启动的安装被中途停止。本次将从中断处继续。", ago.zh),
    }
}
