//! Decides what the read model says of one subject: plain rows, the same for the database's tables and for the
//! canonical projection. Ids in here are raw provider ids: rows are for storage and for output that says it exposes
//! them. Times are microseconds since 1970, UTC; amounts are minor units.
//!
//! What needs two subjects is joined by the reader: a payment's subscription through its invoice, a customer's owner.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The rows of one subject, by table.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows {
    /// Customers.
    pub customers: Vec<CustomerRow>,
    /// Checkouts.
    pub checkouts: Vec<CheckoutRow>,
    /// Subscriptions.
    pub subscriptions: Vec<SubscriptionRow>,
    /// What subscriptions bill.
    pub subscription_items: Vec<SubscriptionItemRow>,
    /// Invoices.
    pub invoices: Vec<InvoiceRow>,
    /// Payments.
    pub payments: Vec<PaymentRow>,
    /// Refunds.
    pub refunds: Vec<RefundRow>,
    /// Disputes.
    pub disputes: Vec<DisputeRow>,
    /// Credits.
    pub credits: Vec<CreditRow>,
    /// Products of the provider's catalogue.
    pub products: Vec<ProductRow>,
    /// Prices of the provider's catalogue.
    pub prices: Vec<PriceRow>,
    /// Schedules of subscriptions.
    pub schedules: Vec<ScheduleRow>,
    /// Grants: what a subscription or a purchase entitles to.
    pub entitlements: Vec<EntitlementRow>,
}

/// A customer at the provider.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerRow {
    /// Provider id.
    pub id: String,
    /// E-mail address.
    pub email: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Whether the provider deleted or archived it.
    pub deleted: bool,
    /// The application's customer, once linked.
    pub owner: Option<String>,
}

/// A checkout.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckoutRow {
    /// Provider id.
    pub id: String,
    /// `open`, `completed`, `paid`, `failed`, `expired`.
    pub state: String,
    /// `payment`, `setup`, `subscription`.
    pub mode: String,
    /// The provider's customer.
    pub customer: Option<String>,
    /// The application's customer.
    pub owner: Option<String>,
    /// The subscription that it led to.
    pub subscription: Option<String>,
    /// The payment that it led to.
    pub payment: Option<String>,
    /// The invoice that it led to.
    pub invoice: Option<String>,
}

/// A subscription. Times are microseconds since 1970, UTC.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionRow {
    /// Provider id.
    pub id: String,
    /// Lifecycle state.
    pub state: String,
    /// The provider's own word.
    pub provider_status: String,
    /// Start of the current period.
    pub period_start: Option<i64>,
    /// End of the current period.
    pub period_end: Option<i64>,
    /// End of the trial.
    pub trial_end: Option<i64>,
    /// When it is going to end.
    pub cancel_at: Option<i64>,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// When it is going to be paused.
    pub pause_at: Option<i64>,
    /// When it is going to go on after a pause.
    pub resume_at: Option<i64>,
    /// Whether collection is paused.
    pub collection_paused: bool,
    /// The provider's customer.
    pub customer: Option<String>,
    /// The application's customer, from the subscription's own metadata.
    pub owner: Option<String>,
}

/// One thing that a subscription bills.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionItemRow {
    /// The subscription's provider id.
    pub subscription: String,
    /// The price's provider id.
    pub price: String,
    /// How many; none for metered usage.
    pub quantity: Option<i64>,
}

/// An invoice.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceRow {
    /// Provider id.
    pub id: String,
    /// `draft`, `open`, `paid`, `void`, `uncollectible`.
    pub state: String,
    /// Total in minor units.
    pub total: i64,
    /// Paid in minor units.
    pub amount_paid: i64,
    /// ISO 4217.
    pub currency: String,
    /// How often payment was tried.
    pub attempts: i64,
    /// When it became payable.
    pub finalized_at: Option<i64>,
    /// When it was paid.
    pub paid_at: Option<i64>,
    /// When it was voided.
    pub voided_at: Option<i64>,
    /// Whether the draft was deleted.
    pub deleted: bool,
    /// The provider's customer.
    pub customer: Option<String>,
    /// The application's customer, from metadata.
    pub owner: Option<String>,
    /// The subscription that it bills.
    pub subscription: Option<String>,
}

/// A payment.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRow {
    /// Provider id.
    pub id: String,
    /// `pending`, `processing`, `authorized`, `succeeded`, `failed`, `canceled`; none while only a refund, a dispute
    /// or a charge of it is known.
    pub state: Option<String>,
    /// Amount in minor units.
    pub amount: Option<i64>,
    /// ISO 4217.
    pub currency: Option<String>,
    /// How much was authorized, in minor units.
    pub authorized: Option<i64>,
    /// How much of that was captured, in minor units.
    pub captured: Option<i64>,
    /// How much came, in minor units.
    pub received: Option<i64>,
    /// What went back of that by refunds, in minor units.
    pub refunded: i64,
    /// What disputes hold or took of it, in minor units.
    pub disputed: i64,
    /// `none`, `open`, `won`, `lost`.
    pub dispute: String,
    /// How many attempts are known by an id of their own.
    pub attempts: i64,
    /// The provider's customer.
    pub customer: Option<String>,
    /// The application's customer, from metadata.
    pub owner: Option<String>,
    /// The invoice that it pays.
    pub invoice: Option<String>,
    /// The subscription, where the payment itself is linked to it.
    pub subscription: Option<String>,
}

/// A refund.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundRow {
    /// Provider id.
    pub id: String,
    /// `pending`, `requires_action`, `succeeded`, `failed`, `canceled`.
    pub state: String,
    /// Amount in minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// The payment's provider id.
    pub payment: String,
}

/// A dispute.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisputeRow {
    /// Provider id.
    pub id: String,
    /// `inquiry`, `open`, `won`, `lost`, `closed`.
    pub state: String,
    /// Amount in minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// The payment's provider id.
    pub payment: String,
}

/// A credit.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditRow {
    /// Provider id.
    pub id: String,
    /// `pending`, `issued`, `rejected`, `reversed`.
    pub state: String,
    /// Amount in minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// The invoice's provider id.
    pub invoice: String,
}

/// A product of the provider's catalogue.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductRow {
    /// Provider id.
    pub id: String,
    /// Name.
    pub name: Option<String>,
    /// Whether it can be sold.
    pub active: bool,
    /// Whether the provider deleted it.
    pub deleted: bool,
}

/// A price of the provider's catalogue.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceRow {
    /// Provider id.
    pub id: String,
    /// The product's provider id.
    pub product: Option<String>,
    /// Whether it can be sold.
    pub active: bool,
    /// Amount per unit in minor units.
    pub unit_amount: Option<i64>,
    /// ISO 4217.
    pub currency: Option<String>,
    /// `day`, `week`, `month`, `year`; none for a one-time price.
    pub interval: Option<String>,
    /// How many intervals.
    pub interval_count: Option<i64>,
    /// Whether the provider deleted it.
    pub deleted: bool,
}

/// A schedule of a subscription.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleRow {
    /// Provider id.
    pub id: String,
    /// `not_started`, `active`, `released`, `completed`, `canceled`.
    pub state: String,
    /// The subscription.
    pub subscription: Option<String>,
}

/// A grant.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntitlementRow {
    /// The kind of object that grants: `subscription`, `payment`, `invoice` or `checkout`. Several objects may report one
    /// sale, and each has rows: an invoice's rows count before those of its payments, those before the checkout's.
    pub source_kind: String,
    /// Its provider id.
    pub source_id: String,
    /// What is granted: an offer, or the provider's price or payment where no offer is known.
    pub benefit: String,
    /// The provider's price that grants it, where it is known.
    pub price: Option<String>,
    /// The source's lifecycle state.
    pub state: String,
    /// How many; none for metered usage.
    pub quantity: Option<i64>,
    /// Whether the provider has given up collecting.
    pub given_up: bool,
    /// Whether a part of what was paid is held or taken by a dispute.
    pub disputed: bool,
    /// When the source began: before, it grants nothing.
    pub began_at: i64,
    /// Since when the source has that state.
    pub since: i64,
    /// When the grant ends or ended, as far as it is decided.
    pub ends_at: Option<i64>,
    /// When the source is going to be paused.
    pub pause_at: Option<i64>,
    /// When the current period ends.
    pub period_end: Option<i64>,
    /// The provider's customer.
    pub customer: Option<String>,
    /// The application's customer, from the source's own metadata.
    pub owner: Option<String>,
}

/// Rows hold raw provider ids and personal data, so their `Debug` says nothing but their name.
macro_rules! redacted_debug {
    ($($row:ident)*) => {
        $(impl fmt::Debug for $row {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($row), "(redacted)"))
            }
        })*
    };
}

redacted_debug! {
    CheckoutRow
    CreditRow
    CustomerRow
    DisputeRow
    EntitlementRow
    InvoiceRow
    PaymentRow
    PriceRow
    ProductRow
    RefundRow
    Rows
    ScheduleRow
    SubscriptionItemRow
    SubscriptionRow
}
