//! Decides which fields contain values that must not be kept: fields with the same meaning at every provider, and
//! fields from the list in a provider's fixture folder.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

/// The kind of a value, which decides how it is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Address,
    Card,
    Email,
    Id,
    Ip,
    Name,
    Phone,
    Secret,
    TaxId,
    Url,
}

impl Kind {
    /// The kind's name, for people.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Kind::Address => "address",
            Kind::Card => "card",
            Kind::Email => "email",
            Kind::Id => "id",
            Kind::Ip => "ip",
            Kind::Name => "name",
            Kind::Phone => "phone",
            Kind::Secret => "secret",
            Kind::TaxId => "tax_id",
            Kind::Url => "url",
        }
    }
}

/// A provider's list: `scrub.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    event_type: Option<String>,
    #[serde(default)]
    headers: Vec<String>,
    #[serde(default)]
    signature_headers: Vec<String>,
    #[serde(default)]
    fields: BTreeMap<Kind, Vec<String>>,
    #[serde(default)]
    keep: Vec<String>,
}

/// Fields by name. A name may be the end of a path: `customer_details.name`.
#[derive(Debug)]
pub(crate) struct Rules {
    event_type: String,
    headers: BTreeSet<String>,
    signature_headers: BTreeSet<String>,
    fields: Vec<(Kind, Vec<String>)>,
    keep: Vec<Vec<String>>,
}

/// The headers that are kept of every request.
const HEADERS: &[&str] = &["content-type", "user-agent"];

/// The kinds of fields with these names at every provider.
const FIELDS: &[(Kind, &[&str])] = &[
    (
        Kind::Address,
        &[
            "address",
            "billing_address",
            "city",
            "line1",
            "line2",
            "postal_code",
            "shipping_address",
            "street",
            "zip",
            "zip_code",
        ],
    ),
    (Kind::Card, &["card_last_four", "fingerprint", "iban", "iin", "last4", "last_four"]),
    (Kind::Email, &["email", "email_address"]),
    (Kind::Ip, &["client_ip", "ip", "ip_address"]),
    (
        Kind::Name,
        &["cardholder_name", "customer_name", "first_name", "full_name", "last_name", "name", "user_name", "username"],
    ),
    (Kind::Phone, &["phone", "phone_number"]),
    (Kind::Secret, &["api_key", "client_secret", "secret", "token"]),
    (Kind::TaxId, &["tax_id", "tax_identifier", "tax_ids", "tax_number", "vat_number"]),
];

impl Rules {
    /// Reads a provider's list.
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        let file: File = toml::from_str(text)?;
        let path = |name: &str| -> Vec<String> { name.split('.').map(str::to_owned).collect() };
        let lower =
            |names: Vec<String>| -> BTreeSet<String> { names.iter().map(|it| it.to_ascii_lowercase()).collect() };
        let event_type = file.event_type.unwrap_or_else(|| "/type".to_owned());
        if !event_type.starts_with('/') {
            anyhow::bail!("event_type = {event_type:?} is not a JSON pointer, which begins with /");
        }
        // The provider's list takes precedence.
        let own = file.fields.iter().flat_map(|(kind, names)| names.iter().map(|name| (*kind, path(name))));
        let general = FIELDS.iter().flat_map(|(kind, names)| names.iter().map(|name| (*kind, path(name))));
        let mut headers = lower(file.headers);
        headers.extend(HEADERS.iter().map(|name| (*name).to_owned()));
        Ok(Self {
            event_type,
            headers,
            signature_headers: lower(file.signature_headers),
            fields: own.chain(general).collect(),
            keep: file.keep.iter().map(|name| path(name)).collect(),
        })
    }

    /// The event's type, for the file name.
    pub(crate) fn event_type<'a>(&self, body: &'a Value) -> Option<&'a str> {
        body.pointer(&self.event_type)?.as_str()
    }

    /// The kind of the value at the end of a path of keys. If a field contains an object or a list, its kind applies to
    /// everything in it.
    pub(crate) fn kind(&self, path: &[String]) -> Option<Kind> {
        if self.keep.iter().any(|end| path.ends_with(end)) {
            return None;
        }
        (1..=path.len()).rev().find_map(|length| {
            let found = self.fields.iter().find(|(_, end)| path[..length].ends_with(end)).map(|(kind, _)| *kind);
            // A country decides about taxes and identifies nobody.
            let names_nobody = ["country", "country_code", "type"].contains(&path.last().map_or("", String::as_str));
            found.filter(|_| length == path.len() || !names_nobody)
        })
    }

    /// Whether a header is kept.
    pub(crate) fn keeps_header(&self, name: &str, with_signature: bool) -> bool {
        let signs = self.signature_headers.contains(name) || name.ends_with("signature");
        match signs {
            true => with_signature,
            false => self.headers.contains(name),
        }
    }
}
