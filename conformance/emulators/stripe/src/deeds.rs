//! What calls, people and the passing of time bring about, and which events that causes, in the order as recorded.

pub(crate) mod checkout;
pub(crate) mod collect;
mod cycle;
mod disputes;
mod pay;
mod refunds;
mod subscribe;

pub(crate) use refunds::RefundRequest;
