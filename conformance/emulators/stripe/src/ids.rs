//! Ids that look like Stripe's: the prefix, the length, the account's own letters in the middle. Unlike a part of
//! Stripe's, none of them sorts in the order of creation, because no document promises an order.

use purchase_emulator::draw::Draw;

const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// The letters that an account's ids have in common.
pub(crate) fn account(draw: &mut Draw) -> String {
    draw.text(LETTERS, 10)
}

/// An id as customers, products, subscription items and requests have it: `cus_UNMlT2cbR79hgC`.
pub(crate) fn short(draw: &mut Draw, prefix: &str) -> String {
    format!("{prefix}_{}", draw.text(LETTERS, 14))
}

/// An id as most objects have it: `sub_1TOc1kJzxxJFDrzxKuG7iN1R`.
pub(crate) fn long(draw: &mut Draw, prefix: &str, account: &str) -> String {
    format!("{prefix}_1{}{account}{}", draw.text(LETTERS, 5), draw.text(LETTERS, 8))
}

/// An id as objects of payments have it: `pi_3TOc1CJzxxJFDrzx0wUyORVJ`.
pub(crate) fn payment(draw: &mut Draw, prefix: &str, account: &str) -> String {
    let digit = if draw.percent(50) { 1 } else { 0 };
    format!("{prefix}_3{}{account}{digit}{}", draw.text(LETTERS, 5), draw.text(LETTERS, 7))
}

/// The id of a checkout session: `cs_test_a1…`, 58 characters after the mode.
pub(crate) fn session(draw: &mut Draw, livemode: bool) -> String {
    let mode = if livemode { "live" } else { "test" };
    format!("cs_{mode}_a1{}{}", draw.text(LETTERS, 32), draw.text(LETTERS, 24))
}

/// A secret part of an id or an address.
pub(crate) fn secret(draw: &mut Draw) -> String {
    draw.text(LETTERS, 25)
}

/// The eight characters that a customer's invoice numbers begin with: `7RIJ6S8U`.
pub(crate) fn invoice_prefix(draw: &mut Draw) -> String {
    draw.text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 8)
}

/// Whether an object belongs to a payment, so that its events' ids begin with 3.
pub(crate) fn is_payments(id: &str) -> bool {
    ["pi_", "ch_", "py_", "re_"].iter().any(|prefix| id.starts_with(prefix))
}
