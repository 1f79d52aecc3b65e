//! Decides how a call is refused, in Paddle's shape of errors. Codes, statuses and texts are those of the error reference
//! at developer.paddle.com/errors.

use purchase_emulator::Reply;
use serde_json::{Value, json};

/// Why a call is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) status: u16,
    /// The part of the error reference.
    group: &'static str,
    code: &'static str,
    pub(crate) detail: String,
    fields: Vec<(String, String)>,
    not_emulated: Option<String>,
}

impl Fault {
    fn new(status: u16, group: &'static str, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, group, code, detail: detail.into(), fields: Vec::new(), not_emulated: None }
    }

    /// The provider has it, and the emulator doesn't.
    pub(crate) fn not_emulated(what: impl Into<String>) -> Self {
        let what = what.into();
        let detail = format!("{what} is not emulated");
        Self { not_emulated: Some(what), ..Self::new(501, "shared", "not_emulated", detail) }
    }

    /// Fields that fail validation, with the reasons.
    pub(crate) fn fields(fields: Vec<(String, String)>) -> Self {
        Self { fields, ..Self::new(400, "shared", "bad_request", "Invalid request.") }
    }

    pub(crate) fn field(field: &str, message: impl Into<String>) -> Self {
        Self::fields(vec![(field.to_owned(), message.into())])
    }

    /// The same, about the fields of something inside the body.
    pub(crate) fn inside(mut self, place: &str) -> Self {
        for (field, _) in &mut self.fields {
            *field = format!("{place}.{field}");
        }
        self
    }

    pub(crate) fn shared(status: u16, code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(status, "shared", code, detail)
    }

    pub(crate) fn not_found(id: &str) -> Self {
        Self::shared(404, "not_found", format!("Entity {id} not found"))
    }

    pub(crate) fn subscription(code: &'static str, detail: &str) -> Self {
        Self::new(400, "subscriptions", code, detail)
    }

    pub(crate) fn transaction(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(400, "transactions", code, detail)
    }

    pub(crate) fn adjustment(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(400, "adjustments", code, detail)
    }

    pub(crate) fn price(code: &'static str, detail: &str) -> Self {
        Self::new(400, "prices", code, detail)
    }

    pub(crate) fn notification(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(400, "notifications", code, detail)
    }

    /// Another customer has the e-mail address.
    pub(crate) fn customer_exists(id: &str) -> Self {
        let detail = format!("customer email conflicts with customer of id {id}");
        Self::new(409, "customers", "customer_already_exists", detail)
    }

    /// The items of an adjustment that can't be processed, by their places.
    pub(crate) fn adjustment_items(wrong: Vec<(usize, String)>) -> Self {
        let fields = wrong.into_iter().map(|(place, why)| (format!("adjustment.transaction.items[{place}]"), why));
        let detail = "One or more adjustment items cannot be processed";
        Self { fields: fields.collect(), ..Self::adjustment("adjustment_transaction_item_invalid", detail) }
    }

    pub(crate) fn reply(self) -> Reply {
        let kind = if self.status >= 500 || self.status == 429 { "api_error" } else { "request_error" };
        let mut error = json!({
            "type": kind, "code": self.code, "detail": self.detail,
            "documentation_url": format!("https://developer.paddle.com/errors/{}/{}", self.group, self.code),
        });
        if !self.fields.is_empty() {
            let fields = self.fields.iter().map(|(field, why)| json!({ "field": field, "message": why }));
            error["errors"] = Value::Array(fields.collect());
        }
        let reply = Reply::json(self.status, &json!({ "error": error })).unkept();
        match self.not_emulated {
            Some(what) => reply.not_emulated(what),
            None => reply,
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)?;
        self.fields.iter().try_for_each(|(field, why)| write!(f, "; {field}: {why}"))
    }
}
