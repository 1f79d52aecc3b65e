//! Lists of objects: newest first, filtered, cut into pages.

use purchase_emulator::page::{Cursor, page};
use serde_json::{Value, json};

use super::{Answer, expand::Expand};
use crate::{fault::Fault, params::Params, show::Kind, stripe::Stripe};

/// A range of times: `created=…` or `created[gte]=…`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Range {
    least: Option<i64>,
    most: Option<i64>,
}

impl Range {
    pub(crate) fn of(params: &mut Params, field: &str) -> Result<Self, Fault> {
        let mut range = Self::default();
        let Ok(Some(mut bounds)) = params.clone().object(field) else {
            let exact = params.int(field)?;
            return Ok(Self { least: exact, most: exact });
        };
        params.object(field)?;
        for (bound, shift, low) in [("gt", 1, true), ("gte", 0, true), ("lt", -1, false), ("lte", 0, false)] {
            let Some(at) = bounds.int(bound)?.map(|at| at + shift) else { continue };
            match low {
                true => range.least = Some(range.least.map_or(at, |least| least.max(at))),
                false => range.most = Some(range.most.map_or(at, |most| most.min(at))),
            }
        }
        bounds.end()?;
        Ok(range)
    }

    pub(crate) fn has(&self, at: i64) -> bool {
        self.least.is_none_or(|least| at >= least) && self.most.is_none_or(|most| at <= most)
    }
}

/// Which page of a list is asked for.
pub(crate) struct Paging {
    limit: usize,
    after: Option<String>,
    before: Option<String>,
}

impl Paging {
    pub(crate) fn of(params: &mut Params) -> Result<Self, Fault> {
        let limit = params.int("limit")?.unwrap_or(10);
        if !(1..=100).contains(&limit) {
            let message = "Invalid integer: limit must be between 1 and 100";
            return Err(Fault::invalid(Some("parameter_invalid_integer"), "limit", message));
        }
        let (after, before) = (params.text("starting_after")?, params.text("ending_before")?);
        if after.is_some() && before.is_some() {
            let message = "You may only specify one of these parameters: ending_before, starting_after.";
            return Err(Fault::invalid(None, "starting_after", message));
        }
        Ok(Self { limit: usize::try_from(limit).unwrap_or(10), after, before })
    }

    /// Cuts the page out of a list of objects, newest first.
    pub(crate) fn cut(&self, items: &[Value], what: &str) -> Result<(Vec<Value>, bool), Fault> {
        let (cursor, param) = match (&self.after, &self.before) {
            (Some(id), _) => (Cursor::After(id), "starting_after"),
            (None, Some(id)) => (Cursor::Before(id), "ending_before"),
            (None, None) => (Cursor::Start, ""),
        };
        let cut = page(items, |item| item["id"].as_str().unwrap_or_default(), cursor, self.limit);
        cut.map(|page| (page.items, page.has_more)).map_err(|id| Fault::no_such_in(what, param, id))
    }
}

/// A page as Stripe shows it.
pub(crate) fn paged((data, has_more): (Vec<Value>, bool), url: &str) -> Value {
    json!({ "object": "list", "data": data, "has_more": has_more, "url": url })
}

impl Stripe {
    /// Lists one kind of object.
    pub(crate) fn list(&self, kind: Kind, mut params: Params) -> Answer {
        let expand = Expand::of(&mut params)?;
        let (paging, created) = (Paging::of(&mut params)?, Range::of(&mut params, "created")?);
        let (url, items) = self.filtered(kind, &mut params)?;
        params.end()?;
        let items: Vec<Value> =
            items.into_iter().filter(|it| created.has(it["created"].as_i64().unwrap_or_default())).collect();
        let (page, has_more) = paging.cut(&items, kind.name())?;
        Ok(paged((self.expanded_items(page, &expand)?, has_more), url))
    }

    /// The objects of a kind that pass the call's own filters, newest first.
    fn filtered(&self, kind: Kind, params: &mut Params) -> Result<(&'static str, Vec<Value>), Fault> {
        let mut filters: Vec<(&str, String)> = Vec::new();
        for field in fields_of(kind) {
            let value = match values_of(kind, field) {
                [] => params.text(field)?,
                values => params.one_of(field, values, &[])?.map(str::to_owned),
            };
            filters.extend(value.map(|value| (*field, value)));
        }
        let has = |it: &Value| filters.iter().all(|(field, value)| at(it, field).as_deref() == Some(value));
        Ok(match kind {
            Kind::Customer => {
                let all = self.customers.all().rev().filter(|it| !it.deleted).map(|it| self.show_customer(it));
                ("/v1/customers", all.filter(has).collect())
            }
            Kind::Product => {
                let ids = params.texts("ids")?;
                let all = self.products.all().rev().filter(|it| ids.is_empty() || ids.contains(&it.id));
                ("/v1/products", all.map(|it| self.show_product(it)).filter(has).collect())
            }
            Kind::Price => {
                let keys = params.texts("lookup_keys")?;
                if keys.len() > 10 {
                    return Err(Fault::invalid(None, "lookup_keys", "You may list at most 10 lookup keys."));
                }
                let listed = |key: &Option<String>| key.as_ref().is_some_and(|key| keys.contains(key));
                let all = self.prices.all().rev().filter(|it| keys.is_empty() || listed(&it.lookup_key));
                ("/v1/prices", all.map(|it| self.show_price(it)).filter(has).collect())
            }
            Kind::Subscription => {
                let status = params.one_of("status", &STATUSES, &[])?;
                let shown = |it: &Value| is_listed(it["status"].as_str().unwrap_or_default(), status);
                let all = self.subscriptions.all().rev().map(|it| self.show_subscription(it));
                ("/v1/subscriptions", all.filter(has).filter(shown).collect())
            }
            Kind::Session => {
                let all = self.sessions.all().rev().map(|it| self.show_session(it));
                ("/v1/checkout/sessions", all.filter(has).collect())
            }
            Kind::Invoice => {
                let all = self.invoices.all().rev().map(|it| self.show_invoice(it));
                ("/v1/invoices", all.filter(has).collect())
            }
            Kind::InvoicePayment => ("/v1/invoice_payments", self.invoice_payments_listed(params, &has)?),
            Kind::Intent => {
                let all = self.intents.all().rev().map(|it| self.show_intent(it));
                ("/v1/payment_intents", all.filter(has).collect())
            }
            Kind::Charge => {
                ("/v1/charges", self.charges.all().rev().map(|it| self.show_charge(it)).filter(has).collect())
            }
            Kind::Refund => {
                ("/v1/refunds", self.refunds.all().rev().map(|it| self.show_refund(it)).filter(has).collect())
            }
            Kind::Dispute => {
                ("/v1/disputes", self.disputes.all().rev().map(|it| self.show_dispute(it)).filter(has).collect())
            }
            Kind::Method | Kind::Portal => ("", Vec::new()),
        })
    }

    fn invoice_payments_listed(&self, params: &mut Params, has: &impl Fn(&Value) -> bool) -> Result<Vec<Value>, Fault> {
        let mut intent = None;
        if let Some(mut payment) = params.object("payment")? {
            let kind = payment.one_of("type", &["payment_intent"], &["payment_record"])?;
            kind.ok_or_else(|| Fault::required("payment[type]"))?;
            intent = payment.text("payment_intent")?;
            payment.end()?;
        }
        let all =
            self.invoice_payments.all().rev().filter(|it| intent.as_ref().is_none_or(|intent| *intent == it.intent));
        Ok(all.map(|it| self.show_invoice_payment(it)).filter(|it| has(it)).collect())
    }
}

/// The fields of a kind that a list can be filtered by as they are.
fn fields_of(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Charge => &["customer", "payment_intent"],
        Kind::Customer => &["email"],
        Kind::Dispute | Kind::Refund => &["charge", "payment_intent"],
        Kind::Intent => &["customer"],
        Kind::Invoice => &["customer", "status", "subscription"],
        Kind::InvoicePayment => &["invoice", "status"],
        Kind::Method | Kind::Portal => &[],
        Kind::Price => &["active", "currency", "product", "type"],
        Kind::Product => &["active"],
        Kind::Session => &["customer", "payment_intent", "status", "subscription"],
        Kind::Subscription => &["customer"],
    }
}

/// What a filter can ask for.
const STATUSES: [&str; 10] = [
    "active",
    "all",
    "canceled",
    "ended",
    "incomplete",
    "incomplete_expired",
    "past_due",
    "paused",
    "trialing",
    "unpaid",
];

/// The values of a filter; none when it takes any text.
fn values_of(kind: Kind, field: &str) -> &'static [&'static str] {
    match (kind, field) {
        (_, "active") => &["true", "false"],
        (Kind::Invoice, "status") => &["draft", "open", "paid", "uncollectible", "void"],
        (Kind::InvoicePayment, "status") => &["canceled", "open", "paid"],
        (Kind::Price, "type") => &["one_time", "recurring"],
        (Kind::Session, "status") => &["complete", "expired", "open"],
        _ => &[],
    }
}

/// The value of a field that a filter compares.
fn at(it: &Value, field: &str) -> Option<String> {
    let found = match (it["object"].as_str(), field) {
        (Some("invoice"), "subscription") => &it["parent"]["subscription_details"]["subscription"],
        _ => &it[field],
    };
    match found {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// Documented: without a status, canceled subscriptions are left out. `ended` means canceled and incomplete_expired.
fn is_listed(status: &str, wanted: Option<&str>) -> bool {
    match wanted {
        None => status != "canceled",
        Some("all") => true,
        Some("ended") => status == "canceled",
        Some(wanted) => status == wanted,
    }
}
