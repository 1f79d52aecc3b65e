//! The state of each kind of object: what decides something. How an object looks is in [`show`](crate::show).

mod billing;
mod checkout;
mod money;
mod trade;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub(crate) use self::{
    billing::*,
    checkout::*,
    money::{
        Charge, ChargeStatus, Dispute, DisputeStatus, Intent, IntentStatus, Movement, PaymentError, Refund,
        RefundStatus,
    },
    trade::*,
};
pub use money::RefundsBegin;

/// Metadata of an object.
pub(crate) type Metadata = BTreeMap<String, String>;

/// A span of time in seconds since 1970. The end is excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Span {
    pub(crate) start: i64,
    pub(crate) end: i64,
}
