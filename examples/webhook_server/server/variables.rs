//! Decides how a variable's text becomes a value. Errors name the variable and what it may be, and never repeat its text,
//! which may be a secret in the wrong place.

use std::{env, ops::RangeInclusive, time::Duration};

use anyhow::{Context, bail};

type Lookup<'a> = Box<dyn Fn(&str) -> anyhow::Result<Option<String>> + 'a>;

/// The variables that the server is configured by.
pub(crate) struct Variables<'a>(Lookup<'a>);

impl<'a> Variables<'a> {
    /// Those of the process.
    pub(crate) fn of_the_environment() -> Self {
        Self::new(|name| match env::var(name) {
            Ok(value) => Ok(Some(value)),
            Err(env::VarError::NotPresent) => Ok(None),
            Err(env::VarError::NotUnicode(_)) => bail!("{name} is not UTF-8"),
        })
    }

    /// Those that a function finds by their names.
    pub(crate) fn new(lookup: impl Fn(&str) -> anyhow::Result<Option<String>> + 'a) -> Self {
        Self(Box::new(lookup))
    }

    /// A variable's text. An empty one counts as missing.
    pub(super) fn text(&self, name: &str) -> anyhow::Result<Option<String>> {
        Ok((self.0)(name)?.filter(|value| !value.is_empty()))
    }

    /// One of several words.
    pub(super) fn choice<T: Copy>(&self, name: &str, choices: &[(&str, T)]) -> anyhow::Result<Option<T>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match choices.iter().find(|(word, _)| *word == text) {
            Some((_, value)) => Ok(Some(*value)),
            None => bail!("{name} must be {}", words(choices)),
        }
    }

    /// One of several words, which must be chosen because another variable is set.
    pub(super) fn must_choose<T: Copy>(
        &self,
        name: &str,
        choices: &[(&str, T)],
        because_of: &str,
    ) -> anyhow::Result<T> {
        self.choice(name, choices)?
            .with_context(|| format!("{name} is missing: it must be {} when {because_of} is set", words(choices)))
    }

    /// A whole number within bounds.
    pub(super) fn number(&self, name: &str, within: RangeInclusive<u32>) -> anyhow::Result<Option<u32>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match text.parse() {
            Ok(number) if within.contains(&number) => Ok(Some(number)),
            _ => bail!("{name} must be a whole number from {} to {}", within.start(), within.end()),
        }
    }

    /// A time of whole seconds, at most an hour.
    pub(super) fn seconds(&self, name: &str, default: Duration) -> anyhow::Result<Duration> {
        Ok(self.number(name, 1..=3600)?.map_or(default, |it| Duration::from_secs(it.into())))
    }
}

fn words<T>(choices: &[(&str, T)]) -> String {
    let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
    match words.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => words.concat(),
    }
}
