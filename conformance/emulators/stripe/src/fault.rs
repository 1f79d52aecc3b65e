//! Stripe's errors: their types, codes, parameters and statuses.

use purchase_emulator::Reply;
use serde_json::{Value, json};

/// Why a call is refused.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fault {
    status: u16,
    kind: &'static str,
    code: Option<&'static str>,
    decline_code: Option<&'static str>,
    message: String,
    param: Option<String>,
    /// What isn't emulated, when that is the reason.
    missing: Option<String>,
    /// Whether an idempotency key keeps the answer. Stripe keeps what an endpoint answers once it executes, and not
    /// what fails the validation of parameters.
    kept: bool,
    more: Option<Value>,
}

impl Fault {
    fn new(status: u16, kind: &'static str, code: Option<&'static str>, message: String) -> Self {
        Self { status, kind, code, decline_code: None, message, param: None, missing: None, kept: true, more: None }
    }

    /// A request that can't be executed.
    pub(crate) fn refused(code: Option<&'static str>, message: impl Into<String>) -> Self {
        Self::new(400, "invalid_request_error", code, message.into())
    }

    /// A parameter that fails validation.
    pub(crate) fn invalid(code: Option<&'static str>, param: &str, message: impl Into<String>) -> Self {
        Self { kept: false, ..Self::refused(code, message).on(param) }
    }

    /// A request that can't be read, whatever it asks.
    pub(crate) fn unreadable(message: impl Into<String>) -> Self {
        Self { kept: false, ..Self::refused(None, message) }
    }

    /// A parameter that must be there.
    pub(crate) fn required(param: &str) -> Self {
        Self::invalid(Some("parameter_missing"), param, format!("Missing required param: {param}."))
    }

    /// An object that the path names and that doesn't exist.
    pub(crate) fn no_such(what: &str, param: &str, id: &str) -> Self {
        Self { status: 404, ..Self::no_such_in(what, param, id) }
    }

    /// An object that a parameter names and that doesn't exist. Recorded: 400 with the parameter's name.
    pub(crate) fn no_such_in(what: &str, param: &str, id: &str) -> Self {
        Self::refused(Some("resource_missing"), format!("No such {what}: '{id}'")).on(param)
    }

    /// A call or a parameter that Stripe has and this emulator hasn't.
    pub(crate) fn not_emulated(what: impl Into<String>) -> Self {
        let what = what.into();
        let fault = Self::new(501, "api_error", Some("not_emulated"), format!("not emulated: {what}"));
        Self { missing: Some(what), kept: false, ..fault }
    }

    /// A request without a usable API key.
    pub(crate) fn unauthorized(message: &str) -> Self {
        Self { kept: false, ..Self::new(401, "invalid_request_error", None, message.to_owned()) }
    }

    /// A card that is declined.
    pub(crate) fn card(code: &'static str, decline_code: Option<&'static str>, message: &str, intent: Value) -> Self {
        let fault = Self::new(402, "card_error", Some(code), message.to_owned());
        Self { decline_code, more: Some(intent), ..fault }
    }

    /// An idempotency key that belongs to another request.
    pub(crate) fn idempotency(message: String) -> Self {
        Self { kept: false, ..Self::new(400, "idempotency_error", None, message) }
    }

    /// A provider that is rate limiting, broken or unavailable.
    pub(crate) fn broken(status: u16, code: Option<&'static str>, message: &str) -> Self {
        Self::new(status, if status == 429 { "invalid_request_error" } else { "api_error" }, code, message.to_owned())
    }

    /// The same, with the parameter that it is about.
    pub(crate) fn on(self, param: &str) -> Self {
        Self { param: Some(param.to_owned()), ..self }
    }

    pub(crate) fn reply(self) -> Reply {
        let mut error = json!({ "type": self.kind, "message": self.message });
        if let Some(code) = self.code {
            error["code"] = json!(code);
            error["doc_url"] = json!(format!("https://stripe.com/docs/error-codes/{}", code.replace('_', "-")));
        }
        if let Some(code) = self.decline_code {
            error["decline_code"] = json!(code);
        }
        if let Some(param) = self.param {
            error["param"] = json!(param);
        }
        if let Some(intent) = self.more {
            error["payment_intent"] = intent;
        }
        let reply = pretty(self.status, &json!({ "error": error }));
        match self.missing {
            Some(what) => reply.not_emulated(what),
            None if self.kept => reply,
            None => reply.unkept(),
        }
    }
}

/// An answer as Stripe formats it: JSON with an indent of two.
pub(crate) fn pretty(status: u16, body: &Value) -> Reply {
    Reply::new(status, "application/json", format!("{body:#}\n").into_bytes())
}
