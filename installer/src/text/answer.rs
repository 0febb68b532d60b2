//! Where answers come from, and why one is refused.

use bundle_spec::project::Localized;

use super::{Message, messages};

messages! {
    origin_set() en "--set" zh "--set";
    origin_environment() en "environment" zh "环境变量";
    origin_file() en "answers file" zh "应答文件";
    origin_asked() en "typed" zh "手动输入";
    origin_earlier() en "earlier installation" zh "上次安装";
    origin_machine() en "an address of this machine" zh "本机地址";
    origin_default() en "default" zh "默认值";
    origin_generated() en "generated" zh "自动生成";
    origin_derived() en "follows from other answers" zh "由其他配置得出";
    has_control_character() en "it has a line break or control character" zh "含有换行或控制字符";
    is_empty() en "it is empty" zh "内容为空";
    not_bool() en "type y for yes or n for no; in an answers file: true or false" zh "请输入 y（是）或 n（否）；应答文件中写 true 或 false";
    yes_or_no_wanted() en "type y for yes or n for no" zh "请输入 y（是）或 n（否）";
    not_integer() en "it is not a whole number" zh "不是整数";
    not_in_choices(choices: &str) en "it must be one of: {choices}" zh "必须是以下之一：{choices}";
    not_path() en "it is not an absolute path, which begins with /" zh "不是绝对路径（应以半角“/”开头）";
    not_port() en "it is not a port (1 to 65535)" zh "不是端口号（1 到 65535）";
    out_of_range(min: &str, max: &str) en "it must be from {min} to {max}" zh "必须在 {min} 到 {max} 之间";
    too_short(min: u32) en "at least {min} characters are needed" zh "至少需要 {min} 个字符";
    too_long(max: u32) en "at most {max} characters are possible" zh "最多 {max} 个字符";
    not_plain(character: &str)
        en "it has the character {character}, which could change the meaning of a file that it goes into"
        zh "含有字符 {character}，写入配置文件后可能改变该文件的含义";
    pattern_mismatch(pattern: &str)
        en "it does not have the form that the application expects ({pattern})"
        zh "不符合应用要求的格式（{pattern}）";
    host_with_scheme()
        en "only the host is wanted: leave http:// away"
        zh "只填主机名或 IP 地址，不要带 http://";
    host_with_port()
        en "only the host is wanted: leave the port away"
        zh "只填主机名或 IP 地址，不要带端口";
    host_with_path()
        en "only the host is wanted: leave / and what follows away"
        zh "只填主机名或 IP 地址，不要带“/”及其后的内容";
    host_with_space() en "there is a space in it" zh "其中有空格";
    host_not_ipv4()
        en "it is not an IP address: that has four numbers from 0 to 255, without zeros in front"
        zh "不是有效的 IP 地址：应为四段 0 到 255 的数字，前面不补 0";
    host_not_name()
        en "a host name has only the letters a to z, digits, - and ."
        zh "主机名只能用英文字母、数字、“-”和“.”";
    url_no_scheme() en "it must begin with http:// or https://" zh "开头缺少 http:// 或 https://";
    url_other_scheme(scheme: &str)
        en "it begins with {scheme}://, but only http:// and https:// are possible"
        zh "以 {scheme}:// 开头，但这里只能用 http:// 或 https://";
    url_slashes()
        en "behind http: or https: there must be //, and no \\ anywhere"
        zh "http: 或 https: 后面应为“//”，且不能用“\\”";
    url_space() en "there is a space in it" zh "网址中有空格";
    url_full_width(found: char, instead: char)
        en "\"{found}\" was typed with a Chinese input method: switch it to English and type \"{instead}\""
        zh "“{found}”是全角字符：请切换到英文输入法，改为“{instead}”";
    url_no_host() en "behind // the host is missing" zh "“//”后面缺少主机名或 IP 地址";
    url_port()
        en "the port behind the host must be a number from 1 to 65535"
        zh "主机后面的端口应为 1 到 65535 的数字";
    url_port_forbidden(port: u16)
        en "it must have no port: leave :{port} away"
        zh "不能带端口，请去掉“:{port}”";
    url_port_missing() en "the port is missing, for instance :8080" zh "缺少端口，例如 :8080";
    url_path_forbidden()
        en "nothing may follow the host and its port"
        zh "主机（及端口）后面不能再有内容";
    url_path_missing()
        en "the path is missing, which follows the host and begins with /"
        zh "缺少路径，即主机后面以“/”开头的部分";
    has_outer_space(id: &str)
        en "{id} begins or ends with a space. It is taken as it is; if the space was pasted by mistake, give the value again."
        zh "{id} 的开头或结尾有空格，将原样使用；如果是粘贴时误带的，请重新输入。";
}

/// What is wrong with the host of a URL.
pub fn url_host(why: &Message) -> Message {
    Message { en: format!("the host: {}", why.en), zh: format!("主机部分：{}", why.zh) }
}

/// A reason, and behind it the vendor's own words on it.
pub fn with_hint(why: Message, hint: Option<&Localized>) -> Message {
    match hint {
        Some(hint) => {
            Message { en: format!("{} ({})", why.en, hint.en), zh: format!("{}（{}）", why.zh, hint.zh) }
        }
        None => why,
    }
}

/// An answer to a question that is not asked.
pub fn not_asked(id: &str, origin: &Message) -> Message {
    Message {
        en: format!("{id} ({}) is not needed with the other answers, and was left aside.", origin.en),
        zh: format!("按其他配置，不需要 {id}（{}），已忽略。", origin.zh),
    }
}

/// A value that is worked out was given.
pub fn is_derived(id: &str, origin: &Message) -> Message {
    Message {
        en: format!("{id} ({}) cannot be given: it follows from other answers. Remove it.", origin.en),
        zh: format!("{id}（{}）不能手动指定：它由其他配置得出，请删除该项。", origin.zh),
    }
}
