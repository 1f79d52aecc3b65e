//! Decides how values in a JSON text are replaced while everything else stays byte for byte as the sender wrote it:
//! order, white space, and the spelling of numbers and of unchanged values.

use anyhow::{Context, bail};

/// One string, number or other value that isn't a container.
pub(crate) struct Scalar<'a> {
    /// The keys that lead to the value. Elements of lists add none.
    pub(crate) path: &'a [String],
    /// The value's text: the decoded content of a string, or the digits of a number.
    pub(crate) text: &'a str,
    /// Whether the value is a string.
    pub(crate) is_string: bool,
}

/// Copies a JSON text. `replace` is called for each string and number, and returns the replacement, if any.
pub(crate) fn rewrite(text: &str, replace: impl FnMut(&Scalar<'_>) -> Option<String>) -> anyhow::Result<String> {
    let mut walk = Walk { text, at: 0, out: String::with_capacity(text.len()), path: Vec::new(), replace };
    walk.value()?;
    walk.space();
    if walk.at != text.len() {
        bail!("byte {} is after the end of the JSON text", walk.at);
    }
    Ok(walk.out)
}

struct Walk<'a, F> {
    text: &'a str,
    at: usize,
    out: String,
    path: Vec<String>,
    replace: F,
}

impl<F: FnMut(&Scalar<'_>) -> Option<String>> Walk<'_, F> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Copies the input up to a byte offset.
    fn copy(&mut self, end: usize) {
        self.out.push_str(&self.text[self.at..end]);
        self.at = end;
    }

    fn space(&mut self) {
        let rest = &self.text[self.at..];
        self.copy(self.at + rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len());
    }

    fn mark(&mut self, wanted: u8) -> anyhow::Result<()> {
        self.space();
        if self.peek() != Some(wanted) {
            bail!("byte {} should be {:?}", self.at, char::from(wanted));
        }
        self.copy(self.at + 1);
        Ok(())
    }

    fn value(&mut self) -> anyhow::Result<()> {
        self.space();
        match self.peek() {
            Some(b'{') => self.members(b'}'),
            Some(b'[') => self.members(b']'),
            Some(b'"') => {
                let (end, text) = self.string()?;
                self.scalar(end, &text, true);
                Ok(())
            }
            Some(_) => {
                let rest = &self.text[self.at..];
                let length = rest.find([',', ']', '}', ' ', '\t', '\r', '\n']).unwrap_or(rest.len());
                let (end, word) = (self.at + length, rest[..length].to_owned());
                match word.as_str() {
                    "true" | "false" | "null" => self.copy(end),
                    _ => self.scalar(end, &word, false),
                }
                Ok(())
            }
            None => bail!("it ends too early"),
        }
    }

    fn members(&mut self, end: u8) -> anyhow::Result<()> {
        self.copy(self.at + 1);
        self.space();
        if self.peek() == Some(end) {
            self.copy(self.at + 1);
            return Ok(());
        }
        loop {
            if end == b'}' {
                self.space();
                let (after, key) = self.string()?;
                self.copy(after);
                self.mark(b':')?;
                self.path.push(key);
                self.value()?;
                self.path.pop();
            } else {
                self.value()?;
            }
            self.space();
            match self.peek() {
                Some(b',') => self.copy(self.at + 1),
                _ => return self.mark(end),
            }
        }
    }

    /// The end of the string that begins here, and its decoded content.
    fn string(&self) -> anyhow::Result<(usize, String)> {
        let bytes = self.text.as_bytes();
        let mut end = self.at + 1;
        while bytes.get(end).context("a string has no end")? != &b'"' {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        let text = serde_json::from_str(&self.text[self.at..=end])?;
        Ok((end + 1, text))
    }

    fn scalar(&mut self, end: usize, text: &str, is_string: bool) {
        match (self.replace)(&Scalar { path: &self.path, text, is_string }) {
            None => self.copy(end),
            Some(new) if is_string => {
                self.out.push_str(&serde_json::Value::String(new).to_string());
                self.at = end;
            }
            Some(new) => {
                self.out.push_str(&new);
                self.at = end;
            }
        }
    }
}
