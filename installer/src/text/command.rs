//! Help of the command line.

use super::messages;

messages! {
    about(app: &str, version: &str)
        en "Installs and manages {app} {version}. Without a verb: the wizard."
        zh "安装和管理 {app} {version}。不带子命令时进入安装向导。";
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
    arg_answers() en "Answers file (TOML); nothing is asked" zh "应答文件（TOML）；不再提问";
    arg_set() en "Answer one question; may be repeated" zh "指定一个配置项的值，可多次使用";
    arg_yes() en "Ask nothing: take what is given, and the defaults" zh "不提问、不确认，使用已给出的值和默认值";
    arg_dry_run() en "Show the plan and change nothing" zh "只显示计划，不做任何改动";
    arg_verify_first()
        en "Verify every byte before anything is changed (else layers are verified while they are loaded)"
        zh "改动本机之前先校验全部内容（默认在导入的同时校验镜像层）";
    arg_lang() en "Language: zh or en" zh "语言：zh 或 en";
    arg_json() en "Events as JSON lines on standard output" zh "在标准输出上逐行输出 JSON 事件";
    arg_dir() en "Project directory" zh "项目目录";
    arg_engine()
        en "auto or system: the host's engine, installed if missing; private: the bundled one beside everything else"
        zh "auto 或 system：使用本机引擎，没有则安装；private：使用自带的独立引擎，与其他引擎互不影响";
    arg_purge() en "Delete data, volumes, secrets too; asks for the name" zh "同时删除数据、数据卷和密钥，需输入应用名称确认";
    arg_follow() en "Go on showing new lines" zh "持续显示新日志";
    arg_tail() en "Number of lines from the end" zh "显示末尾的行数";
    arg_services() en "Only these services" zh "只显示这些服务";
    arg_help() en "Show help" zh "显示帮助";
    usage_error(what: &str) en "Wrong usage: {what}" zh "用法错误：{what}";
    see_help() en "--help shows what is possible." zh "使用 --help 查看可用的选项。";
    error_mark() en "ERROR: " zh "错误：";
    todo_mark() en "What to do: " zh "处理办法：";
}
