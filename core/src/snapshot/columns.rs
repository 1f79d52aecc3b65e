//! Decides how a store that has columns keeps the value of a row's field. It knows no store.

use crate::{
    fact::object_state::{
        CheckoutMode, CheckoutState, CreditState, DisputeState, IntervalUnit, InvoiceState, PaymentState, RefundState,
        ScheduleState,
    },
    fold::money::Disputed,
    id::ObjectKind,
    lifecycle::Lifecycle,
    money::Currency,
    time::Timestamp,
};

/// One column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name, which is the field's.
    pub name: &'static str,
    /// How its value is kept.
    pub kind: Kind,
    /// Whether there may be none.
    pub optional: bool,
    /// Whether it counts minor units of a currency, which have bounds: 2^53 - 1, either way.
    pub amount: bool,
    /// The version of the stores' schema that brought it; none where the table came with it.
    pub since: Option<u32>,
    /// What it says, in one paragraph.
    pub about: &'static str,
}

/// How a value is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// True or false.
    Boolean,
    /// A whole number of 64 bits.
    Integer,
    /// Text.
    Text,
}

/// A field's type that a column can keep. As JSON it is a boolean, a whole number or a text, by its kind, or null where it
/// is optional.
pub trait Value {
    /// How it is kept.
    const KIND: Kind;
    /// Whether there may be none.
    const OPTIONAL: bool;
}

impl Value for bool {
    const KIND: Kind = Kind::Boolean;
    const OPTIONAL: bool = false;
}

impl Value for i64 {
    const KIND: Kind = Kind::Integer;
    const OPTIONAL: bool = false;
}

/// Microseconds since 1970, UTC.
impl Value for Timestamp {
    const KIND: Kind = Kind::Integer;
    const OPTIONAL: bool = false;
}

/// Values that serde writes as one word.
macro_rules! text {
    ($($value:ty),+ $(,)?) => {
        $(impl Value for $value {
            const KIND: Kind = Kind::Text;
            const OPTIONAL: bool = false;
        })+
    };
}

text!(
    String,
    CheckoutMode,
    CheckoutState,
    CreditState,
    Currency,
    DisputeState,
    Disputed,
    IntervalUnit,
    InvoiceState,
    Lifecycle,
    ObjectKind,
    PaymentState,
    RefundState,
    ScheduleState,
);

impl<T: Value> Value for Option<T> {
    const KIND: Kind = T::KIND;
    const OPTIONAL: bool = true;
}
