//! The emulator as its users see it.

mod agreement;
mod bench;
mod billing;
mod calls;
mod checkout;
mod documents;
mod evidence;
mod lifecycles;
mod limits;
mod money;
mod pages;
mod script;
mod sequences;
#[path = "../../../../../stores/sqlite/tests/conformance/under_test.rs"]
mod sqlite_under_test;

/// How Stripe signs, and how one of its events is edited: the adapter's own tests know.
#[path = "../../../../../adapters/stripe/tests/conformance/under_test.rs"]
mod under_test;
