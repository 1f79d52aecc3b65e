//! What an account decides at its dashboard, and what Stripe's documents leave open.

use serde::{Deserialize, Serialize};

/// The seconds of a day.
pub(crate) const DAY: i64 = 24 * 3600;

/// The settings of the emulated account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StripeSettings {
    /// Whether the account is in live mode.
    pub livemode: bool,
    /// The account's name, as invoices and the checkout page show it.
    pub account_name: String,
    /// The account's country.
    pub account_country: String,
    /// Where the pages of the emulator are reached, without a slash at the end.
    pub page_base: String,
    /// How long an invoice of a renewal stays a draft. Stripe documents about one hour.
    pub finalize_after_seconds: i64,
    /// Days from each failed payment of an invoice to the next attempt. After the last one the subscription goes the way
    /// of `after_retries`. Smart Retries choose their own times; this is the account's own schedule.
    pub retry_days: Vec<u16>,
    /// What becomes of a subscription whose retries have all failed.
    pub after_retries: AfterRetries,
    /// How long a bank debit is processing.
    pub debit_settles_after_seconds: i64,
    /// How long a refund to a test card for asynchronous refunds stays as it began.
    pub refund_settles_after_seconds: i64,
    /// How much later than the other events of a checkout `checkout.session.completed` is created. Recorded: in the
    /// same second, or one second later.
    pub session_event_late_seconds: i64,
    /// Whether the first invoice of a subscription appears in events step by step, as a draft, open and paid. Recorded
    /// are first invoices whose `invoice.created` is already paid, and that have no `invoice.updated`.
    pub first_invoice_by_steps: bool,
    /// Whether one change causes two `charge.refunded` events. Stripe documents that one change may cause two events.
    pub refunded_twice: bool,
}

impl Default for StripeSettings {
    fn default() -> Self {
        Self {
            livemode: false,
            account_name: "Emulated".to_owned(),
            account_country: "US".to_owned(),
            page_base: "http://localhost".to_owned(),
            finalize_after_seconds: 3600,
            retry_days: vec![3, 5, 7],
            after_retries: AfterRetries::Cancel,
            debit_settles_after_seconds: 5 * DAY,
            refund_settles_after_seconds: 3600,
            session_event_late_seconds: 0,
            first_invoice_by_steps: false,
            refunded_twice: false,
        }
    }
}

/// What becomes of a subscription whose retries have all failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AfterRetries {
    /// It ends.
    Cancel,
    /// It is paused. Only API versions after dahlia document this setting.
    Pause,
    /// It stays past due.
    PastDue,
    /// It is unpaid: further invoices stay drafts.
    Unpaid,
}
