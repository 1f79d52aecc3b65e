//! Decides how the read model's rows are described: each field of a row once, as it is kept by a store that has columns.
//! It knows no store.

use crate::{
    fact::photo::{
        CheckoutMode, CheckoutState, CreditState, DisputeState, IntervalUnit, InvoiceState, PaymentState, RefundState,
        ScheduleState,
    },
    fold::money::Disputed,
    id::ObjectKind,
    lifecycle::Lifecycle,
    money::Currency,
    snapshot::rows::Rows,
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

        impl $crate::snapshot::columns::Row for $row {
            const TABLE: &'static str = stringify!($table);
            const ABOUT: &'static str = concat!($($about),+);
            const COLUMNS: &'static [$crate::snapshot::columns::Column] = &[
                $($crate::snapshot::columns::Column {
                    name: stringify!($name),
                    kind: <$value as $crate::snapshot::columns::Value>::KIND,
                    optional: <$value as $crate::snapshot::columns::Value>::OPTIONAL,
                    amount: $crate::snapshot::columns::row!(@amount $(amount $($amount)?)?),
                    since: $crate::snapshot::columns::row!(@since $($since)?),
                    about: concat!($($said),+),
                },)+
            ];

            fn of(rows: &$crate::snapshot::rows::Rows) -> &[Self] {
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

pub(crate) use row;
