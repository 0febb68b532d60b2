//! The command line: help, and what was wrong with it.

use super::{Message, messages};

messages! {
    about(title: &str, version: &str)
        en "Installs and manages {title} {version}. Without a command: the wizard."
        zh "安装和管理{title} {version}。不带命令时进入安装向导。";
    about_control(title: &str, app: &str, version: &str)
        en "Manages {title} ({app}) {version}."
        zh "管理{title}（{app}）{version}。";
    about_control_name(app: &str)
        en "Manages {app}. Run it with sudo."
        zh "管理 {app}。请用 sudo 运行。";
    usage(program: &str) en "Usage: {program} [command] [options]" zh "用法：{program} [命令] [选项]";
    usage_of_control(program: &str) en "Usage: {program} <command> [options]" zh "用法：{program} <命令> [选项]";
    usage_of(program: &str, verb: &str, operands: &str)
        en "Usage: {program} {verb} [options]{operands}"
        zh "用法：{program} {verb} [选项]{operands}";
    commands() en "Commands:" zh "命令：";
    options() en "Options:" zh "选项：";
    operands() en "Arguments:" zh "参数：";
    possible(values: &str) en "{values}" zh "可选值：{values}";
    more_help(program: &str)
        en "{program} help <command> shows the options of one command."
        zh "{program} help <命令> 显示该命令的选项。";
    install() en "Install, or finish an interrupted installation" zh "安装，或继续被中断的安装";
    preflight() en "Check this machine without changing anything" zh "检查本机是否满足要求，不做任何改动";
    verify() en "Check every byte of this file" zh "逐字节校验安装包";
    inspect() en "Show what is in this file" zh "显示安装包的内容";
    answers() en "Print an answers file to fill in" zh "打印待填写的应答文件";
    status() en "Show how the services are" zh "显示各服务的状态";
    logs() en "Show the services' logs" zh "显示服务日志";
    start() en "Start the application" zh "启动应用";
    stop() en "Stop the application; data is kept" zh "停止应用，保留数据";
    restart() en "Stop and start again" zh "重启应用";
    uninstall() en "Remove the application; data is kept unless --purge" zh "卸载应用；除非使用 --purge，否则保留数据";
    help() en "Show help, also for one command" zh "显示帮助，也可指定一个命令";
    arg_answers() en "Answers file (TOML); nothing is asked" zh "应答文件（TOML）；不再提问";
    arg_set() en "Answer one question; may be repeated" zh "指定一个配置项的值，可多次使用";
    arg_accept()
        en "Accept a warning of preflight by its id; may be given several times"
        zh "按 id 接受一项预检警告，可多次使用";
    arg_strict()
        en "Refuse on warnings that are not accepted (else warnings are only shown)"
        zh "有未接受的警告时拒绝安装（默认只显示警告）";
    arg_yes() en "Ask nothing: take what is given, and the defaults" zh "不提问、不确认，使用已给出的值和默认值";
    arg_yes_uninstall() en "Do not ask whether to go on; --purge still wants the name" zh "不询问，直接卸载（--purge 仍需输入应用名称）";
    arg_dry_run() en "Show the plan and change nothing" zh "只显示计划，不做任何改动";
    arg_verify_first()
        en "Verify every byte before anything is changed (else layers are verified while they are loaded)"
        zh "改动本机之前先校验全部内容（默认在导入的同时校验镜像层）";
    arg_trust()
        en "Public key that this file must be signed with: the key itself, or a file with it"
        zh "用此公钥验证安装包签名，不符则拒绝；可填公钥本身，或含公钥的文件";
    value_key() en "KEY" zh "公钥";
    arg_lang() en "Language" zh "界面语言";
    arg_schema()
        en "Print a JSON schema of the answers file, for editors"
        zh "输出应答文件的 JSON Schema，供编辑器检查";
    arg_json() en "Events as JSON lines on standard output" zh "在标准输出上逐行输出 JSON 事件";
    arg_dir(default: &str) en "Project directory ({default} if not given)" zh "应用目录（默认 {default}）";
    arg_engine()
        en "auto or system: the host's engine, installed if missing; private: the bundled one beside everything else"
        zh "auto 或 system：使用本机引擎，没有则安装；private：使用自带的独立引擎，与其他引擎互不影响";
    arg_purge() en "Delete data, volumes, secrets too; asks for the name" zh "同时删除数据、数据卷和密钥，需输入应用名称确认";
    arg_follow() en "Go on showing new lines" zh "持续显示新日志";
    arg_tail() en "Number of lines from the end, or all (200 if not given)" zh "只显示末尾多少行，all 为全部（默认 200）";
    arg_services() en "Only these services" zh "只显示这些服务";
    arg_help() en "Show help" zh "显示帮助";
    arg_version() en "Show the version" zh "显示版本";
    // Both in English: they are said where Chinese cannot be shown.
    console_without_chinese()
        en "This console cannot show Chinese, so this is in English. On a terminal that can (SSH, desktop): --lang zh"
        zh "This console cannot show Chinese, so this is in English. On a terminal that can (SSH, desktop): --lang zh";
    encoding_without_chinese()
        en "The locale is not UTF-8, so this is in English. For Chinese in UTF-8: --lang zh"
        zh "The locale is not UTF-8, so this is in English. For Chinese in UTF-8: --lang zh";
    value_dir() en "DIR" zh "目录";
    value_file() en "FILE" zh "文件";
    value_id() en "ID" zh "id";
    value_set() en "id=value" zh "配置项=值";
    value_count() en "N" zh "行数";
    value_services() en "SERVICE" zh "服务";
    value_command() en "COMMAND" zh "命令";
    no_such_command(name: &str) en "There is no command {name}." zh "没有命令 {name}。";
    type_hyphens(plain: &str)
        en "What stands before it is no hyphen of the keyboard. Type: {plain}"
        zh "开头的横线不是半角连字符。请输入：{plain}";
    no_such_option(name: &str) en "There is no option {name}." zh "没有选项 {name}。";
    unexpected(word: &str) en "Nothing can be given here: {word}" zh "此处不需要参数：{word}";
    value_missing(option: &str) en "{option} needs a value." zh "{option} 后面缺少值。";
    value_not_possible(option: &str, value: &str, possible: &str)
        en "{option} cannot be {value}: it must be one of {possible}."
        zh "{option} 的值只能是 {possible}，不能是 {value}。";
    value_not_valid(option: &str, value: &str)
        en "{option} cannot be {value}."
        zh "{option} 的值 {value} 无效。";
    given_twice(option: &str) en "{option} may be given only once." zh "{option} 只能给出一次。";
    not_utf8() en "An argument is not valid UTF-8." zh "参数不是有效的 UTF-8 文本。";
    usage_error() en "The command line is not understood." zh "无法识别此命令行。";
    did_you_mean(name: &str) en "Did you mean {name}? --help shows what is possible." zh "是否应为 {name}？使用 --help 查看可用的命令和选项。";
    quote_value()
        en "After --set comes one word with an equals sign in it; a value with spaces is quoted: --set 'ID=VALUE'"
        zh "--set 后面必须是一个带等号的整体；值中有空格时请加引号：--set '名称=值'";
    see_help() en "--help shows what is possible." zh "使用 --help 查看可用的命令和选项。";
    mark_pass() en "ok  " zh "通过";
    mark_warn() en "warn" zh "警告";
    mark_fail() en "FAIL" zh "失败";
    error_mark() en "ERROR: " zh "错误：";
    todo_mark() en "What to do: " zh "处理办法：";
}

/// Several alternatives.
pub fn alternatives(values: &[String]) -> Message {
    Message { en: values.join(", "), zh: values.join("、") }
}
