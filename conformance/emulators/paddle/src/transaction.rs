//! Decides what a transaction is, and how it is shown with its totals. There is no tax: every total is its subtotal.

use purchase_emulator::Shared;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    Paddle,
    adjustment::Adjustment,
    catalog::{Price, Product},
    ids,
    money::Currency,
    times::{Duration, Period, Times, maybe, text},
};

/// A transaction.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Transaction {
    pub(crate) id: String,
    pub(crate) times: Times,
    pub(crate) status: Status,
    pub(crate) origin: Origin,
    pub(crate) customer: Option<String>,
    pub(crate) address: Option<String>,
    pub(crate) subscription: Option<String>,
    pub(crate) custom_data: Option<Map<String, Value>>,
    pub(crate) currency: Currency,
    pub(crate) lines: Vec<Line>,
    pub(crate) billing_period: Option<Period>,
    pub(crate) invoice: Option<Invoice>,
    pub(crate) billed: Option<i64>,
    /// Newest first.
    pub(crate) attempts: Vec<Attempt>,
    /// The page of the checkout, when the request named one.
    pub(crate) page: Option<String>,
    /// How it is paid by invoice; none when a card is charged.
    pub(crate) manual: Option<Manual>,
    /// The amount of credits that reduced it.
    pub(crate) credited: i64,
    /// When the stored card is charged.
    pub(crate) collect_at: Option<i64>,
}

/// Where a transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Billed,
    Canceled,
    Completed,
    Draft,
    Paid,
    PastDue,
    Ready,
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Billed => "billed",
            Self::Canceled => "canceled",
            Self::Completed => "completed",
            Self::Draft => "draft",
            Self::Paid => "paid",
            Self::PastDue => "past_due",
            Self::Ready => "ready",
        }
    }

    pub(crate) fn is_paid(self) -> bool {
        matches!(self, Self::Completed | Self::Paid)
    }
}

/// How a transaction was created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Origin {
    Api,
    SubscriptionRecurring,
    Web,
}

/// What is sold, as it was in the catalogue then.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) id: String,
    pub(crate) price: Price,
    pub(crate) product: Product,
    pub(crate) quantity: u32,
    /// The price of one, which is nothing during a trial.
    pub(crate) unit: i64,
}

impl Line {
    pub(crate) fn total(&self) -> i64 {
        self.unit.saturating_mul(i64::from(self.quantity))
    }
}

/// The document that a completed or billed transaction gets.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Invoice {
    id: String,
    pub(crate) number: String,
}

/// How an invoice is paid.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manual {
    #[serde(default)]
    pub(crate) enable_checkout: bool,
    #[serde(default)]
    purchase_order_number: String,
    #[serde(default)]
    additional_information: Option<String>,
    pub(crate) payment_terms: Duration,
}

/// An attempt to pay.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Attempt {
    pub(crate) id: String,
    stored_method: String,
    method: String,
    pub(crate) amount: i64,
    pub(crate) status: AttemptStatus,
    pub(crate) error: Option<String>,
    created: i64,
    pub(crate) captured: Option<i64>,
}

/// Where an attempt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AttemptStatus {
    ActionRequired,
    Captured,
    Error,
    PendingNoActionRequired,
}

impl Transaction {
    pub(crate) fn total(&self) -> i64 {
        self.lines.iter().map(Line::total).sum()
    }

    /// What is asked for after credits.
    pub(crate) fn grand_total(&self) -> i64 {
        self.total() - self.credited
    }

    /// Whether a buyer pays it at a checkout.
    pub(crate) fn has_checkout(&self) -> bool {
        self.manual.as_ref().is_none_or(|it| it.enable_checkout)
    }

    pub(crate) fn recurring(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.price.billing_cycle.is_some())
    }

    /// Paddle's fee, once it is known: five percent and fifty minor units, as in the recordings.
    pub(crate) fn fee(&self) -> Option<i64> {
        let total = self.grand_total();
        (self.status == Status::Completed).then_some(if total == 0 { 0 } else { (total * 5 + 50) / 100 + 50 })
    }

    /// Adds an attempt to pay everything.
    pub(crate) fn attempt(&mut self, at: i64, status: AttemptStatus, shared: &mut Shared) {
        let attempt = Attempt {
            id: ids::uuid(&mut shared.draw),
            stored_method: ids::uuid(&mut shared.draw),
            method: ids::id("paymtd", at, &mut shared.draw),
            amount: self.grand_total(),
            status,
            error: None,
            created: at,
            captured: None,
        };
        self.attempts.insert(0, attempt);
    }
}

impl Paddle {
    pub(crate) fn transaction_view(&self, it: &Transaction) -> Value {
        let items: Vec<Value> = it
            .lines
            .iter()
            .map(|line| json!({ "price": line.price.view(), "quantity": line.quantity, "proration": null }))
            .collect();
        let holder = it.customer.as_ref().and_then(|id| self.customers.get(id)).and_then(|it| it.name.clone());
        let payments: Vec<Value> = it.attempts.iter().map(|attempt| attempt_view(attempt, holder.as_deref())).collect();
        json!({
            "id": it.id, "status": it.status, "customer_id": it.customer, "address_id": it.address,
            "business_id": null, "custom_data": it.custom_data, "currency_code": it.currency, "origin": it.origin,
            "subscription_id": it.subscription, "invoice_id": it.invoice.as_ref().map(|it| &it.id),
            "invoice_number": it.invoice.as_ref().map(|it| &it.number),
            "collection_mode": if it.manual.is_some() { "manual" } else { "automatic" }, "discount_id": null,
            "billing_details": it.manual, "billing_period": it.billing_period.map(Period::view), "items": items,
            "details": self.details(it), "payments": payments, "checkout": self.checkout_view(it),
            "created_at": text(it.times.created), "updated_at": text(it.times.changed), "billed_at": maybe(it.billed),
            "revised_at": null,
        })
    }

    fn checkout_view(&self, it: &Transaction) -> Value {
        let page = it.page.clone().unwrap_or_else(|| format!("{}/checkout", self.account.base_url));
        let joint = if page.contains('?') { '&' } else { '?' };
        match it.has_checkout() {
            true => json!({ "url": format!("{page}{joint}_ptxn={}", it.id) }),
            false => Value::Null,
        }
    }

    fn details(&self, it: &Transaction) -> Value {
        let (total, grand_total, fee) = (it.total(), it.grand_total(), it.fee());
        let earnings = fee.map(|fee| (grand_total - fee).to_string());
        let balance = if it.status.is_paid() { 0 } else { grand_total };
        let totals = json!({
            "subtotal": total.to_string(), "discount": "0", "tax": "0", "total": total.to_string(),
            "credit": it.credited.to_string(), "credit_to_balance": "0", "balance": balance.to_string(),
            "grand_total": grand_total.to_string(), "fee": fee.map(|fee| fee.to_string()), "earnings": earnings,
            "currency_code": it.currency,
        });
        let taken: i64 = self.adjustments_of(&it.id).filter(|it| it.takes()).map(Adjustment::total).sum();
        let (adjusted, credited) = (total - taken, it.credited);
        let adjusted_totals = json!({
            "subtotal": adjusted.to_string(), "tax": "0", "total": adjusted.to_string(),
            "grand_total": (adjusted - credited).to_string(), "fee": fee.unwrap_or(0).to_string(),
            "earnings": fee.map_or(0, |fee| adjusted - credited - fee).to_string(), "currency_code": it.currency,
        });
        let rate = json!({ "subtotal": total.to_string(), "discount": "0", "tax": "0", "total": total.to_string() });
        let payout = (it.status == Status::Completed && it.currency.is_paid_out()).then(|| totals.clone());
        json!({
            "tax_rates_used": [{ "tax_rate": "0", "totals": rate }], "totals": totals,
            "adjusted_totals": adjusted_totals, "payout_totals": payout, "adjusted_payout_totals": null,
            "line_items": it.lines.iter().map(line_view).collect::<Vec<_>>(),
        })
    }

    /// A new document. Its numbers count up.
    pub(crate) fn invoice(&mut self, shared: &mut Shared) -> Invoice {
        self.invoices += 1;
        let id = ids::id("inv", self.clock.max(shared.now), &mut shared.draw);
        Invoice { id, number: format!("325-{}", 10_000 + self.invoices) }
    }
}

fn line_view(line: &Line) -> Value {
    let totals = |amount: i64| {
        let text = amount.to_string();
        json!({ "subtotal": text, "discount": "0", "tax": "0", "total": text })
    };
    json!({
        "id": line.id, "price_id": line.price.id, "quantity": line.quantity, "proration": null, "tax_rate": "0",
        "unit_totals": totals(line.unit), "totals": totals(line.total()), "product": line.product.view(),
    })
}

fn attempt_view(it: &Attempt, holder: Option<&str>) -> Value {
    json!({
        "payment_attempt_id": it.id, "stored_payment_method_id": it.stored_method, "payment_method_id": it.method,
        "amount": it.amount.to_string(), "status": it.status, "error_code": it.error,
        "method_details": { "type": "card", "card": {
            "type": "visa", "last4": "4242", "expiry_month": 1, "expiry_year": 2040,
            "cardholder_name": holder.unwrap_or("Emulated Buyer"),
        } },
        "created_at": text(it.created), "captured_at": maybe(it.captured),
    })
}
