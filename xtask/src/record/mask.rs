//! Decides how values that must not be kept are replaced by invented ones. Within a recording, equal values get equal
//! replacements, so that two objects of one customer stay two objects of one customer.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{BuildHasher, Hasher, RandomState},
};

use regex::{Captures, Regex};
use sha2::{Digest, Sha256};

use crate::record::{
    body::{self, Scalar},
    rules::{Kind, Rules},
};

/// Patterns of values that are recognizable by their form, and the kind of each. Longest first.
const PATTERNS: &[(Kind, &str)] = &[
    (Kind::Secret, r"(?i-u:Bearer) [A-Za-z0-9._~+/=-]{8,}"),
    (Kind::Secret, r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
    (Kind::Secret, r"(?-u:\b)(?:whsec|sk|rk|pk|pdl|ntfset|apikey)_[A-Za-z0-9_+/=]{6,}"),
    (Kind::Secret, r"(?-u:\b)[a-z]{2,8}_[A-Za-z0-9]+_secret_[A-Za-z0-9]+"),
    (Kind::Email, r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"),
    (Kind::Ip, r"(?-u:\b)(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(?:\.(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])){3}(?-u:\b)"),
    (Kind::Ip, r"(?-u:\b)(?:[0-9A-Fa-f]{1,4}:){4,7}[0-9A-Fa-f]{1,4}(?-u:\b)"),
    (Kind::Ip, r"(?-u:\b)(?:[0-9A-Fa-f]{1,4}:){1,6}(?::[0-9A-Fa-f]{1,4}){1,6}(?-u:\b)"),
];

/// A URL with a query or with a long path segment may give access to its holder.
const URL: &str = r#"https?://[^\s"<>\\]+"#;

/// The form of most providers' ids: a short word, an underscore, letters and digits.
const ID: &str = r"(?-u:\b)((?:[a-z]{2,12}_)+)([A-Za-z0-9]{8,})(?-u:\b)";

/// The replacements of a recording.
pub(crate) struct Mask {
    rules: Rules,
    map_ids: bool,
    /// The real signing secret, which is replaced wherever it occurs.
    secret: Option<String>,
    patterns: Vec<(Kind, Regex)>,
    url: Regex,
    id: Regex,
    invented: HashMap<(Kind, String), String>,
    /// For each kind: the number of distinct values, and the number of places.
    counts: BTreeMap<&'static str, (usize, usize)>,
    /// Random for each recording, so that nobody can find an id by trying candidates.
    salt: [u8; 8],
}

impl Mask {
    /// Creates a mask from a provider's rules.
    pub(crate) fn new(rules: Rules, map_ids: bool, secret: Option<String>) -> anyhow::Result<Self> {
        let patterns = PATTERNS.iter().map(|(kind, pattern)| Ok((*kind, Regex::new(pattern)?)));
        Ok(Self {
            rules,
            map_ids,
            secret,
            patterns: patterns.collect::<anyhow::Result<_>>()?,
            url: Regex::new(URL)?,
            id: Regex::new(ID)?,
            invented: HashMap::new(),
            counts: BTreeMap::new(),
            salt: RandomState::new().build_hasher().finish().to_be_bytes(),
        })
    }

    /// The rules.
    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The replacements made: for each kind, the number of distinct values and of places.
    pub(crate) fn counts(&self) -> &BTreeMap<&'static str, (usize, usize)> {
        &self.counts
    }

    /// Replaces everything in a body that must not be kept. The other bytes stay unchanged.
    ///
    /// # Errors
    /// When the body is not UTF-8, or when the result is not JSON.
    pub(crate) fn body(&mut self, bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
        let text = std::str::from_utf8(bytes)?;
        let scrubbed = body::rewrite(text, |scalar| self.scalar(scalar))?;
        // An unreadable result would be a defect of this program, and must not become a fixture.
        let _: serde_json::Value = serde_json::from_str(&scrubbed)?;
        Ok(scrubbed.into_bytes())
    }

    /// The headers that are kept.
    pub(crate) fn headers(&mut self, all: &[(String, Vec<u8>)], with_signature: bool) -> Vec<(String, String)> {
        let mut kept = Vec::new();
        for (name, value) in all {
            if let Ok(value) = std::str::from_utf8(value)
                && self.rules.keeps_header(name, with_signature)
            {
                kept.push((name.clone(), self.text(value)));
            }
        }
        kept
    }

    fn scalar(&mut self, scalar: &Scalar<'_>) -> Option<String> {
        let kind = self.rules.kind(scalar.path);
        let key = scalar.path.last().map_or("", String::as_str);
        let new = match kind {
            _ if scalar.text.is_empty() => return None,
            Some(Kind::Email | Kind::Url | Kind::Id) | None if scalar.is_string => {
                let text = self.text(scalar.text);
                match kind {
                    // A field on the list contains this kind, even if its text doesn't match the pattern.
                    Some(kind) if text == scalar.text => self.invent(kind, scalar.text),
                    None if self.map_ids && text == scalar.text && is_id_key(key) => self.invent(Kind::Id, scalar.text),
                    _ => text,
                }
            }
            None if self.map_ids && is_id_key(key) && is_whole(scalar.text) => self.invent(Kind::Id, scalar.text),
            Some(kind) if scalar.is_string => self.invent(kind, scalar.text),
            Some(kind) if is_whole(scalar.text) => self.invent_digits(kind, scalar.text),
            _ => return None,
        };
        (new != scalar.text).then_some(new)
    }

    /// Replaces everything in a text that is recognizable by its form.
    fn text(&mut self, text: &str) -> String {
        let mut text = text.to_owned();
        if let Some(secret) = self.secret.clone().filter(|secret| text.contains(secret.as_str())) {
            let new = self.invent(Kind::Secret, &secret);
            text = text.replace(&secret, &new);
        }
        let url = self.url.clone();
        text = url.replace_all(&text, |found: &Captures<'_>| self.url(&found[0])).into_owned();
        for (kind, pattern) in self.patterns.clone() {
            text = pattern.replace_all(&text, |found: &Captures<'_>| self.invent(kind, &found[0])).into_owned();
        }
        if self.map_ids {
            let id = self.id.clone();
            text = id
                .replace_all(&text, |found: &Captures<'_>| {
                    // Providers' words contain underscores too, such as `charge_automatically`.
                    let is_word = found[2].bytes().all(|byte| byte.is_ascii_lowercase());
                    if is_word { found[0].to_owned() } else { self.invent(Kind::Id, &found[0]) }
                })
                .into_owned();
        }
        text
    }

    fn url(&mut self, url: &str) -> String {
        let long = |part: &str| part.len() >= 16 && part.chars().any(|char| char.is_ascii_digit());
        let after_host = url.splitn(4, '/').nth(3).unwrap_or_default();
        match url.contains(['?', '#']) || after_host.split(['/', '_']).any(long) {
            true => self.invent(Kind::Url, url),
            false => url.to_owned(),
        }
    }

    /// The invented value for a real one.
    fn invent(&mut self, kind: Kind, real: &str) -> String {
        // A value that this recording invented may match a second pattern, and isn't replaced again.
        if self.invented.values().any(|invented| invented == real) {
            return real.to_owned();
        }
        let count = self.counts.entry(kind.as_str()).or_default();
        count.1 += 1;
        if let Some(known) = self.invented.get(&(kind, real.to_owned())) {
            return known.clone();
        }
        count.0 += 1;
        let nth = count.0;
        let new = match kind {
            Kind::Address => format!("Address {nth}"),
            Kind::Card => card(nth, real),
            Kind::Email => format!("person{nth}@example.com"),
            Kind::Id => self.id(real),
            Kind::Ip => format!("192.0.2.{}", nth % 256),
            Kind::Name => format!("Name {nth}"),
            Kind::Phone => format!("+1555{:07}", nth),
            Kind::Secret => format!("scrubbed_{nth}"),
            Kind::TaxId => format!("TAX{nth:08}"),
            Kind::Url => format!("https://example.com/scrubbed/{nth}"),
        };
        self.invented.insert((kind, real.to_owned()), new.clone());
        new
    }

    /// Replaces a number by another number with the same count of digits.
    fn invent_digits(&mut self, kind: Kind, real: &str) -> String {
        let count = self.counts.entry(kind.as_str()).or_default();
        count.1 += 1;
        if let Some(known) = self.invented.get(&(kind, real.to_owned())) {
            return known.clone();
        }
        count.0 += 1;
        let new = digits(&self.digest(real), real.len());
        self.invented.insert((kind, real.to_owned()), new.clone());
        new
    }

    /// An invented id of the same form: the same prefix, with letters and digits in the same places.
    fn id(&self, real: &str) -> String {
        if is_whole(real) {
            return digits(&self.digest(real), real.len());
        }
        let prefix = real.rfind('_').map_or(0, |at| at + 1);
        let mut bytes = self.digest(real).into_iter().cycle();
        let mut masked = real[..prefix].to_owned();
        for char in real[prefix..].chars() {
            let byte = bytes.next().unwrap_or_default();
            masked.push(match char {
                '0'..='9' => char::from(b'0' + byte % 10),
                'a'..='f' => char::from(b'a' + byte % 6),
                'g'..='z' => char::from(b'g' + byte % 20),
                'A'..='Z' => char::from(b'A' + byte % 26),
                other => other,
            });
        }
        masked
    }

    fn digest(&self, real: &str) -> Vec<u8> {
        Sha256::new().chain_update(self.salt).chain_update(real).finalize().to_vec()
    }
}

fn card(nth: usize, real: &str) -> String {
    match is_whole(real) {
        true => format!("{:0>width$}", (4242 + nth - 1) % 10_000, width = real.len().min(4)),
        false => format!("card{nth}"),
    }
}

/// A number of `count` digits that doesn't begin with zero.
fn digits(digest: &[u8], count: usize) -> String {
    let digit = |(at, byte): (usize, &u8)| char::from(b'0' + if at == 0 { 1 + byte % 9 } else { byte % 10 });
    digest.iter().cycle().take(count).enumerate().map(digit).collect()
}

fn is_whole(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_id_key(key: &str) -> bool {
    key == "id" || key.ends_with("_id") || key.ends_with("_ids")
}
