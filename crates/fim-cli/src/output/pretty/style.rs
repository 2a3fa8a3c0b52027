//! Colour and width: whether a terminal wants them, and how they are written.

use rustix::termios::tcgetwinsize;
use std::io::IsTerminal;
use unicode_width::UnicodeWidthStr;

/// What something is, as far as its colour goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Plain,
    Dim,
    Who,
    Path,
    Added,
    Removed,
    Notable,
    High,
    Critical,
}

/// How the text is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    /// Standard output, asked for its width before each line.
    Stdout {
        /// With colours.
        colour: bool,
    },
    /// So many columns; `None` for as many as it takes.
    #[cfg(test)]
    Fixed(Option<usize>, bool),
}

impl Screen {
    /// Standard output, as it is and as the environment wants it.
    pub fn stdout() -> Self {
        let variable = |name: &str| std::env::var(name).ok();
        Self::Stdout { colour: wants_colour(std::io::stdout().is_terminal(), &variable) }
    }

    /// How it is coloured.
    pub const fn styles(self) -> Styles {
        match self {
            Self::Stdout { colour } => Styles(colour),
            #[cfg(test)]
            Self::Fixed(_, colour) => Styles(colour),
        }
    }

    /// Its columns, where it has an end.
    pub fn width(self) -> Option<usize> {
        match self {
            Self::Stdout { .. } => {
                let size = tcgetwinsize(std::io::stdout()).ok()?;
                Some(usize::from(size.ws_col)).filter(|columns| *columns >= 20)
            }
            #[cfg(test)]
            Self::Fixed(width, _) => width,
        }
    }
}

/// The rules of no-color.org and bixense.com/clicolors.
fn wants_colour(terminal: bool, variable: &dyn Fn(&str) -> Option<String>) -> bool {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    if set("NO_COLOR").is_some() {
        return false;
    }
    if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
        return true;
    }
    let dumb = variable("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    terminal && !dumb && set("CLICOLOR").is_none_or(|value| value != "0")
}

/// Writes colours, or none.
#[derive(Clone, Copy, Debug)]
pub struct Styles(bool);

impl Styles {
    /// The text in this style. It must be tame by now.
    pub fn paint(self, style: Style, text: &str) -> String {
        let code = match style {
            Style::Plain => "",
            Style::Dim => "2",
            Style::Who => "36",
            Style::Path => "1",
            Style::Added => "32",
            Style::Removed => "31",
            Style::Notable => "33",
            Style::High => "1;31",
            Style::Critical => "1;37;41",
        };
        if self.0 && !code.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Columns a text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// Breaks a text at its spaces so that each part fits behind an indent; what has no space stays whole.
pub fn wrap(text: &str, screen: Option<usize>, indent: usize) -> Vec<String> {
    let room = screen.map_or(usize::MAX, |screen| screen.saturating_sub(indent));
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if width(line) + 1 + width(word) <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_colours_are_wanted() {
        for (terminal, variables, wanted) in [
            (true, &[("TERM", "xterm")][..], true),
            (false, &[("TERM", "xterm")], false),
            (true, &[("TERM", "dumb")], false),
            (true, &[], false),
            (true, &[("TERM", "xterm"), ("NO_COLOR", "1")], false),
            (true, &[("TERM", "xterm"), ("NO_COLOR", "")], true),
            (true, &[("TERM", "xterm"), ("CLICOLOR", "0")], false),
            (false, &[("CLICOLOR_FORCE", "1")], true),
            (true, &[("TERM", "xterm"), ("CLICOLOR_FORCE", "0")], true),
            (false, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
        ] {
            let variable = |name: &str| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(wants_colour(terminal, &variable), wanted, "{terminal} {variables:?}");
        }
    }

    #[test]
    fn wrapping_keeps_every_word() {
        let text = "one two 漢字漢字 a-word-too-long-for-it three";
        let lines = wrap(text, Some(14), 4);
        assert_eq!(lines, ["one two", "漢字漢字", "a-word-too-long-for-it", "three"]);
        assert_eq!(wrap(text, None, 4), [text]);
    }
}
