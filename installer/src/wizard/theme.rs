//! How questions look: ASCII marks only, since others have no agreed width in Chinese terminals, and no English words in Chinese.

use std::fmt::{Result, Write};

use console::{Style, StyledObject};
use dialoguer::theme::Theme;

use crate::text::{Lang, Message, wizard as text};

/// The look of questions in one language.
#[derive(Debug)]
pub(super) struct Look {
    lang: Lang,
    items: Vec<String>,
}

impl Look {
    pub(super) fn new(lang: Lang) -> Self {
        Self { lang, items: Vec::new() }
    }

    /// For a list. It is given the positions of its items alone ([`Look::positions`]): it takes bytes for columns when it
    /// redraws itself, and would erase lines above a Chinese item that fits.
    pub(super) fn listing(lang: Lang, items: Vec<String>) -> Self {
        Self { lang, items }
    }

    /// What the list is given for items.
    pub(super) fn positions(&self) -> Vec<String> {
        (0..self.items.len()).map(|position| position.to_string()).collect()
    }

    fn truth(&self, answer: bool) -> Message {
        if answer { text::yes() } else { text::no() }
    }
}

fn bold<T>(text: T) -> StyledObject<T> {
    Style::new().for_stderr().bold().apply_to(text)
}

fn dim<T>(text: T) -> StyledObject<T> {
    Style::new().for_stderr().dim().apply_to(text)
}

fn mark(mark: &str) -> StyledObject<&str> {
    Style::new().for_stderr().yellow().apply_to(mark)
}

fn given<T>(text: T) -> StyledObject<T> {
    Style::new().for_stderr().green().apply_to(text)
}

impl Theme for Look {
    fn format_prompt(&self, f: &mut dyn Write, prompt: &str) -> Result {
        write!(f, "{} {} >", mark("?"), bold(prompt))
    }

    fn format_confirm_prompt(&self, f: &mut dyn Write, prompt: &str, default: Option<bool>) -> Result {
        // Full-width brackets bring their own gap.
        let gap = if self.lang == Lang::Zh { "" } else { " " };
        write!(f, "{} {}{gap}", mark("?"), bold(prompt))?;
        let keys = text::yes_or_no();
        match default {
            Some(default) => {
                write!(
                    f,
                    "{} {} ",
                    dim(keys.in_lang(self.lang)),
                    dim(format!("[{}]", self.truth(default).in_lang(self.lang)))
                )
            }
            None => write!(f, "{} ", dim(keys.in_lang(self.lang))),
        }
    }

    fn format_confirm_prompt_selection(
        &self,
        f: &mut dyn Write,
        prompt: &str,
        selection: Option<bool>,
    ) -> Result {
        let chosen = selection.map(|answer| self.truth(answer).in_lang(self.lang).to_owned());
        self.format_input_prompt_selection(f, prompt, &chosen.unwrap_or_default())
    }

    fn format_select_prompt_item(&self, f: &mut dyn Write, text: &str, active: bool) -> Result {
        let item = text.parse::<usize>().ok().and_then(|position| self.items.get(position));
        write!(f, "{} {}", if active { ">" } else { " " }, item.map_or(text, String::as_str))
    }

    fn format_input_prompt_selection(&self, f: &mut dyn Write, prompt: &str, sel: &str) -> Result {
        write!(f, "  {prompt} > {}", given(sel))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_shows_items_by_their_positions() {
        let look = Look::listing(Lang::Zh, vec!["自签名证书".into(), "8".into()]);
        let shown = |text: &str, active| {
            let mut shown = String::new();
            look.format_select_prompt_item(&mut shown, text, active).unwrap();
            shown
        };
        let shown = look.positions().iter().map(|text| shown(text, text == "1")).collect::<Vec<_>>();
        assert_eq!(shown, ["  自签名证书", "> 8"]);
    }

    #[test]
    fn a_confirmation_speaks_chinese() {
        let look = Look::new(Lang::Zh);
        let mut shown = String::new();
        look.format_confirm_prompt(&mut shown, "现在开始安装？", Some(true)).unwrap();
        look.format_confirm_prompt_selection(&mut shown, "现在开始安装？", Some(false)).unwrap();
        let shown = console::strip_ansi_codes(&shown).into_owned();
        assert_eq!(shown, "? 现在开始安装？（y 是，n 否） [是]   现在开始安装？ > 否");
    }
}
