//! Decides which parts of a Rust file are code. It separates comments and literals from code, and finds functions and
//! traits by their braces. It isn't a parser: it reads only files formatted by rustfmt.

/// A Rust file, split into its parts.
pub(crate) struct Source {
    /// The lines of the file, with comments blanked.
    pub(crate) text: Vec<String>,
    /// The same lines, with the content of literals blanked too.
    pub(crate) code: Vec<String>,
}

/// A function and its position.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    /// Its name.
    pub(crate) name: String,
    /// The number of its first line, from 1.
    pub(crate) line: usize,
    /// The number of its lines, including the signature.
    pub(crate) lines: usize,
    /// Whether it has a body.
    pub(crate) has_body: bool,
}

#[derive(Clone, Copy)]
enum State {
    Block(usize),
    Code,
    LineComment,
    Raw(usize),
    Text,
}

impl Source {
    /// Splits a file into its parts.
    pub(crate) fn new(file: &str) -> Self {
        let chars: Vec<char> = file.chars().collect();
        let (mut text, mut code) = (String::with_capacity(file.len()), String::with_capacity(file.len()));
        let mut state = State::Code;
        let mut at = 0;
        while at < chars.len() {
            let (next, taken) = step(state, &chars[at..]);
            for offset in 0..taken {
                let char = chars[at + offset];
                let blank = if char == '\n' { '\n' } else { ' ' };
                let comment = matches!(state, State::Block(_) | State::LineComment)
                    || matches!(next, State::Block(_) | State::LineComment);
                let literal = matches!(state, State::Raw(_) | State::Text);
                text.push(if comment { blank } else { char });
                code.push(if comment || literal { blank } else { char });
            }
            at += taken;
            state = next;
        }
        let lines = |all: String| all.lines().map(str::to_owned).collect();
        Self { text: lines(text), code: lines(code) }
    }

    /// The number of lines before the tests, which come last.
    pub(crate) fn tests_begin(&self) -> usize {
        let marks = self.code.iter().enumerate().filter(|(_, line)| line.trim() == "#[cfg(test)]");
        let mut of_modules = marks.filter(|(at, _)| {
            let mut after = self.code[at + 1..].iter().map(|line| line.trim());
            after
                .find(|line| !line.starts_with("#["))
                .is_some_and(|line| line.starts_with("mod ") && line.ends_with('{'))
        });
        of_modules.next().map_or(self.code.len(), |(at, _)| at)
    }

    /// Every function, including nested ones.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let all: Vec<char> = self.code.join("\n").chars().collect();
        let mut found = Vec::new();
        let mut line = 1;
        for at in 0..all.len() {
            line += usize::from(all[at] == '\n');
            let begins = all[at..].starts_with(&['f', 'n', ' ']) && (at == 0 || !is_word(all[at - 1]));
            let name: String = all[at..].iter().skip(3).take_while(|char| is_word(**char)).collect();
            if begins && !name.is_empty() {
                let (end, has_body) = end_of_item(&all, at);
                let lines = 1 + all[at..end].iter().filter(|char| **char == '\n').count();
                found.push(Function { name, line, lines, has_body });
            }
        }
        found
    }

    /// The functions that a trait declares. Empty if the file doesn't contain the trait.
    pub(crate) fn functions_of_trait(&self, name: &str) -> Option<Vec<Function>> {
        let head = format!("trait {name}");
        let first = self
            .code
            .iter()
            .position(|line| line.split_once(&head).is_some_and(|(_, rest)| !rest.starts_with(is_word)))?;
        let all: Vec<char> = self.code[first..].join("\n").chars().collect();
        let (end, _) = end_of_item(&all, 0);
        let last = first + 1 + all[..end].iter().filter(|char| **char == '\n').count();
        Some(self.functions().into_iter().filter(|function| (first + 1..=last).contains(&function.line)).collect())
    }
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// The state after the next characters, and the number of those characters.
fn step(state: State, rest: &[char]) -> (State, usize) {
    let pair = |one, other| rest.first() == Some(&one) && rest.get(1) == Some(&other);
    match state {
        State::LineComment if rest[0] == '\n' => (State::Code, 1),
        State::LineComment => (State::LineComment, 1),
        State::Block(depth) if pair('/', '*') => (State::Block(depth + 1), 2),
        State::Block(1) if pair('*', '/') => (State::Code, 2),
        State::Block(depth) if pair('*', '/') => (State::Block(depth - 1), 2),
        State::Block(depth) => (State::Block(depth), 1),
        State::Text if rest[0] == '\\' => (State::Text, rest.len().min(2)),
        State::Text if rest[0] == '"' => (State::Code, 1),
        State::Text => (State::Text, 1),
        State::Raw(hashes) if closes_raw(rest, hashes) => (State::Code, 1 + hashes),
        State::Raw(hashes) => (State::Raw(hashes), 1),
        State::Code if pair('/', '/') => (State::LineComment, 2),
        State::Code if pair('/', '*') => (State::Block(1), 2),
        State::Code if rest[0] == '"' => (State::Text, 1),
        State::Code if rest[0] == '\'' => (State::Code, char_literal(rest)),
        State::Code if is_word(rest[0]) => word(rest),
        State::Code => (State::Code, 1),
    }
}

/// Reads a word as a whole, so that the `r` of `for"` doesn't start a raw string. The opening of a raw string belongs
/// to its `r`.
fn word(rest: &[char]) -> (State, usize) {
    let letters = rest.iter().take_while(|char| is_word(**char)).count();
    let prefix: String = rest[..letters].iter().collect();
    let hashes = rest[letters..].iter().take_while(|char| **char == '#').count();
    let opens = rest.get(letters + hashes) == Some(&'"');
    match prefix.as_str() {
        "r" | "br" | "cr" if opens => (State::Raw(hashes), letters + hashes + 1),
        _ => (State::Code, letters),
    }
}

fn closes_raw(rest: &[char], hashes: usize) -> bool {
    rest[0] == '"' && rest.len() > hashes && rest[1..=hashes].iter().all(|char| *char == '#')
}

/// The length of a character literal, or 1 for the tick of a lifetime.
fn char_literal(rest: &[char]) -> usize {
    match rest {
        ['\'', '\\', ..] => 3 + rest.iter().skip(3).take(10).position(|char| *char == '\'').unwrap_or(0),
        ['\'', _, '\'', ..] => 3,
        _ => 1,
    }
}

/// The end of the item that begins here: its `;`, or the brace that closes its body.
fn end_of_item(all: &[char], begin: usize) -> (usize, bool) {
    let (mut round, mut braces) = (0_usize, 0_usize);
    for (offset, char) in all[begin..].iter().enumerate() {
        match char {
            '(' | '[' => round += 1,
            ')' | ']' => round = round.saturating_sub(1),
            ';' if round == 0 && braces == 0 => return (begin + offset, false),
            '{' => braces += 1,
            '}' if braces <= 1 => return (begin + offset, true),
            '}' => braces -= 1,
            _ => {}
        }
    }
    (all.len(), false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_told_apart() {
        let check = |file: &str, text: &str, code: &str| {
            let source = Source::new(file);
            assert_eq!((source.text.join("\n").as_str(), source.code.join("\n").as_str()), (text, code), "{file}");
        };
        check("a // b", "a     ", "a     ");
        check("a /* b /* c */ d */ e", "a                   e", "a                   e");
        check("f(\"x // y\")", "f(\"x // y\")", "f(\"       )");
        check("r#\"a\"b\"# c", "r#\"a\"b\"# c", "r#\"      c");
        check("'\"' 'a b", "'\"' 'a b", "'\"' 'a b");
        check("'\\'' x", "'\\'' x", "'\\'' x");
        check("\"a\\\"b\" c", "\"a\\\"b\" c", "\"      c");
    }

    #[test]
    fn functions_are_measured_by_their_braces() {
        let source =
            Source::new("trait T {\n    fn a(x: [u8; 2]);\n    fn b() {\n        \"}\";\n    }\n}\nfn c() {}\n");
        let function = |name: &str, line, lines, has_body| Function { name: name.to_owned(), line, lines, has_body };
        let (a, b, c) = (function("a", 2, 1, false), function("b", 3, 3, true), function("c", 7, 1, true));
        assert_eq!(source.functions_of_trait("T"), Some(vec![a, b]));
        assert_eq!(source.functions().pop(), Some(c));
        assert_eq!(source.functions_of_trait("Other"), None);
    }

    #[test]
    fn tests_come_last() {
        let file = "fn a() {}\n#[cfg(test)]\nuse x;\n#[cfg(test)]\nmod tests {\n}\n";
        assert_eq!(Source::new(file).tests_begin(), 3);
        assert_eq!(Source::new("fn a() {}\n").tests_begin(), 1);
    }
}
