//! Decides what the read model says of one subject: plain rows, the same for the database's tables and for the
//! canonical projection. Ids in here are raw provider ids: rows are for storage and for output that says it exposes
//! them. Times are microseconds since 1970, UTC; amounts are minor units.
//!
//! What needs two subjects is joined by the reader: a payment's subscription through its invoice, a customer's owner.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    fact::object_state::{
        CheckoutMode, CheckoutState, CreditState, DisputeState, IntervalUnit, InvoiceState, PaymentState, RefundState,
        ScheduleState,
    },
    fold::money::Disputed,
    id::ObjectKind,
    lifecycle::Lifecycle,
    money::Currency,
    snapshot::columns::{Column, Value},
    time::Timestamp,
};

/// A table of the read model: the row of one thing, and what its columns are.
pub trait Row: Sized {
    /// The table's name: the field's name in [`Rows`].
    const TABLE: &'static str;
    /// What a row is, in one paragraph.
    const ABOUT: &'static str;
    /// Its columns, in their order.
    const COLUMNS: &'static [Column];

    /// A subject's rows of this table.
    fn of(rows: &Rows) -> &[Self];
}

/// Defines a row and describes it. After a field's comment may stand `#[amount]`, for minor units of a currency, and
/// `#[since(7)]`, for the version of the stores' schema that brings the column. A row holds raw provider ids and personal
/// data, so its `Debug` says nothing but its name.
macro_rules! row {
    (
        $(#[doc = $about:literal])+
        $table:ident: $row:ident {
            $(
                $(#[doc = $said:literal])+
                $(#[amount $($amount:tt)?])?
                $(#[since($since:literal)])?
                $name:ident: $value:ty,
            )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, PartialEq, Eq, ::serde::Serialize, ::serde::Deserialize)]
        pub struct $row {
            $($(#[doc = $said])+ pub $name: $value,)+
        }

        impl Row for $row {
            const TABLE: &'static str = stringify!($table);
            const ABOUT: &'static str = concat!($($about),+);
            const COLUMNS: &'static [Column] = &[
                $(Column {
                    name: stringify!($name),
                    kind: <$value as Value>::KIND,
                    optional: <$value as Value>::OPTIONAL,
                    amount: row!(@amount $(amount $($amount)?)?),
                    since: row!(@since $($since)?),
                    about: concat!($($said),+),
                },)+
            ];

            fn of(rows: &Rows) -> &[Self] {
                &rows.$table
            }
        }

        impl ::std::fmt::Debug for $row {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(concat!(stringify!($row), "(redacted)"))
            }
        }
    };
    (@amount) => { false };
    (@amount amount) => { true };
    (@since) => { None };
    (@since $since:literal) => { Some($since) };
}

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

row! {
    /// A customer at the provider.
    customers: CustomerRow {
        /// Provider id.
        id: String,
        /// E-mail address.
        email: Option<String>,
        /// Name.
        name: Option<String>,
        /// Whether the provider deleted or archived it.
        deleted: bool,
        /// The application's customer, once linked.
        owner: Option<String>,
    }
}

row! {
    /// A checkout.
    checkouts: CheckoutRow {
        /// Provider id.
        id: String,
        /// `open`, `completed`, `paid`, `failed`, `expired`.
        state: CheckoutState,
        /// `payment`, `setup`, `subscription`.
        mode: CheckoutMode,
        /// The provider's customer.
        customer: Option<String>,
        /// The application's customer.
        owner: Option<String>,
        /// The subscription that it led to.
        subscription: Option<String>,
        /// The payment that it led to.
        payment: Option<String>,
        /// The invoice that it led to.
        #[since(5)]
        invoice: Option<String>,
    }
}

row! {
    /// A subscription. Times are microseconds since 1970, UTC.
    subscriptions: SubscriptionRow {
        /// Provider id.
        id: String,
        /// Lifecycle state.
        state: Lifecycle,
        /// The provider's own word.
        provider_status: String,
        /// Start of the current period.
        period_start: Option<Timestamp>,
        /// End of the current period.
        period_end: Option<Timestamp>,
        /// End of the trial.
        trial_end: Option<Timestamp>,
        /// When it is going to end.
        cancel_at: Option<Timestamp>,
        /// When it ended.
        ended_at: Option<Timestamp>,
        /// When it is going to be paused.
        #[since(2)]
        pause_at: Option<Timestamp>,
        /// When it is going to go on after a pause.
        #[since(2)]
        resume_at: Option<Timestamp>,
        /// Whether collection is paused.
        collection_paused: bool,
        /// The provider's customer.
        customer: Option<String>,
        /// The application's customer, from the subscription's own metadata.
        owner: Option<String>,
    }
}

row! {
    /// One thing that a subscription bills.
    subscription_items: SubscriptionItemRow {
        /// The subscription's provider id.
        subscription: String,
        /// The price's provider id.
        price: String,
        /// How many; none for metered usage.
        quantity: Option<i64>,
    }
}

row! {
    /// An invoice.
    invoices: InvoiceRow {
        /// Provider id.
        id: String,
        /// `draft`, `open`, `paid`, `void`, `uncollectible`.
        state: InvoiceState,
        /// Total in minor units.
        #[amount]
        total: i64,
        /// Paid in minor units.
        #[amount]
        amount_paid: i64,
        /// ISO 4217.
        currency: Currency,
        /// How often payment was tried.
        attempts: i64,
        /// When it became payable.
        finalized_at: Option<Timestamp>,
        /// When it was paid.
        paid_at: Option<Timestamp>,
        /// When it was voided.
        voided_at: Option<Timestamp>,
        /// Whether the draft was deleted.
        deleted: bool,
        /// The provider's customer.
        customer: Option<String>,
        /// The application's customer, from metadata.
        #[since(5)]
        owner: Option<String>,
        /// The subscription that it bills.
        subscription: Option<String>,
    }
}

row! {
    /// A payment.
    payments: PaymentRow {
        /// Provider id.
        id: String,
        /// `pending`, `processing`, `authorized`, `succeeded`, `failed`, `canceled`; none while only a refund, a dispute
        /// or a charge of it is known.
        state: Option<PaymentState>,
        /// Amount in minor units.
        #[amount]
        amount: Option<i64>,
        /// ISO 4217.
        currency: Option<Currency>,
        /// How much was authorized, in minor units.
        #[amount]
        #[since(5)]
        authorized: Option<i64>,
        /// How much of that was captured, in minor units.
        #[amount]
        #[since(5)]
        captured: Option<i64>,
        /// How much came, in minor units.
        #[amount]
        #[since(5)]
        received: Option<i64>,
        /// What went back of that by refunds, in minor units.
        #[amount]
        refunded: i64,
        /// What disputes hold or took of it, in minor units.
        #[amount]
        #[since(5)]
        disputed: i64,
        /// `none`, `open`, `won`, `lost`.
        dispute: Disputed,
        /// How many attempts are known by an id of their own.
        #[since(2)]
        attempts: i64,
        /// The provider's customer.
        customer: Option<String>,
        /// The application's customer, from metadata.
        owner: Option<String>,
        /// The invoice that it pays.
        invoice: Option<String>,
        /// The subscription, where the payment itself is linked to it.
        subscription: Option<String>,
    }
}

row! {
    /// A refund.
    refunds: RefundRow {
        /// Provider id.
        id: String,
        /// `pending`, `requires_action`, `succeeded`, `failed`, `canceled`.
        state: RefundState,
        /// Amount in minor units.
        #[amount]
        amount: i64,
        /// ISO 4217.
        currency: Currency,
        /// The payment's provider id.
        payment: String,
    }
}

row! {
    /// A dispute.
    disputes: DisputeRow {
        /// Provider id.
        id: String,
        /// `inquiry`, `open`, `won`, `lost`, `closed`.
        state: DisputeState,
        /// Amount in minor units.
        #[amount]
        amount: i64,
        /// ISO 4217.
        currency: Currency,
        /// The payment's provider id.
        payment: String,
    }
}

row! {
    /// A credit.
    credits: CreditRow {
        /// Provider id.
        id: String,
        /// `pending`, `issued`, `rejected`, `reversed`.
        state: CreditState,
        /// Amount in minor units.
        #[amount]
        amount: i64,
        /// ISO 4217.
        currency: Currency,
        /// The invoice's provider id.
        invoice: String,
    }
}

row! {
    /// A product of the provider's catalogue.
    products: ProductRow {
        /// Provider id.
        id: String,
        /// Name.
        name: Option<String>,
        /// Whether it can be sold.
        active: bool,
        /// Whether the provider deleted it.
        deleted: bool,
    }
}

row! {
    /// A price of the provider's catalogue.
    prices: PriceRow {
        /// Provider id.
        id: String,
        /// The product's provider id.
        product: Option<String>,
        /// Whether it can be sold.
        active: bool,
        /// Amount per unit in minor units.
        #[amount]
        unit_amount: Option<i64>,
        /// ISO 4217.
        currency: Option<Currency>,
        /// `day`, `week`, `month`, `year`; none for a one-time price.
        interval: Option<IntervalUnit>,
        /// How many intervals.
        interval_count: Option<i64>,
        /// Whether the provider deleted it.
        deleted: bool,
    }
}

row! {
    /// A schedule of a subscription.
    schedules: ScheduleRow {
        /// Provider id.
        id: String,
        /// `not_started`, `active`, `released`, `completed`, `canceled`.
        state: ScheduleState,
        /// The subscription.
        subscription: Option<String>,
    }
}

row! {
    /// A grant.
    entitlements: EntitlementRow {
        /// The kind of object that grants: `subscription`, `payment`, `invoice` or `checkout`. Several objects may report one
        /// sale, and each has rows: an invoice's rows count before those of its payments, those before the checkout's.
        origin_kind: ObjectKind,
        /// Its provider id.
        origin_id: String,
        /// What is granted: an offer, or the provider's price or payment where no offer is known.
        benefit: String,
        /// The provider's price that grants it, where it is known.
        #[since(2)]
        price: Option<String>,
        /// The source's lifecycle state.
        state: Lifecycle,
        /// How many; none for metered usage.
        quantity: Option<i64>,
        /// Whether the provider has given up collecting.
        given_up: bool,
        /// Whether a part of what was paid is held or taken by a dispute.
        #[since(5)]
        disputed: bool,
        /// When the source began: before, it grants nothing.
        #[since(5)]
        began_at: Timestamp,
        /// Since when the source has that state.
        since: Timestamp,
        /// When the grant ends or ended, as far as it is decided.
        ends_at: Option<Timestamp>,
        /// When the source is going to be paused.
        #[since(2)]
        pause_at: Option<Timestamp>,
        /// When the current period ends.
        period_end: Option<Timestamp>,
        /// The provider's customer.
        customer: Option<String>,
        /// The application's customer, from the source's own metadata.
        owner: Option<String>,
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rows(redacted)")
    }
}
