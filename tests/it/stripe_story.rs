//! The script that plays stories in the emulated Stripe.

#[path = "../../conformance/emulators/stripe/tests/it/evidence.rs"]
mod evidence;
#[path = "../../conformance/emulators/stripe/tests/it/script.rs"]
mod script;

use crate::stripe_under_test as under_test;
pub(crate) use script::StripeScript;
