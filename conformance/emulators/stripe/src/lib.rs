//! Stripe in memory: what its API answers, what its events say, and what happens when time passes or people act.
//!
//! # API versions
//!
//! Objects have the shape of `2026-05-27.dahlia`, the newest version whose OpenAPI document with complete objects is
//! public; events carry this version, as from an endpoint that is pinned to it. Parameters are judged by the document of
//! requests of `2026-08-26.dahlia`, which is newer and has no objects. Both belong to one release train, inside which
//! changes are additive. A call whose `Stripe-Version` isn't a version of dahlia is not emulated.
//!
//! # What is emulated
//!
//! Every call and every parameter that Stripe has and this crate hasn't answers 501 with the code `not_emulated`, and
//! changes nothing.
//!
//! | objects | calls |
//! |---|---|
//! | customers | create, update, delete, retrieve, list |
//! | products, prices | create, update, retrieve, list |
//! | checkout sessions | create (hosted page, modes payment and subscription), expire, line items, retrieve, list |
//! | subscriptions | update (metadata, `cancel_at_period_end`, `pause_collection`, items without prorations), cancel, resume, retrieve, list |
//! | invoices | pay, retrieve, list |
//! | refunds | create, update, retrieve, list |
//! | payment intents, charges, invoice payments, disputes | retrieve, list |
//! | payment methods | retrieve |
//! | billing portal | create a session |
//! | events | retrieve, list |
//!
//! `GET /c/pay/{session}` is the checkout page, and `GET /p/session/{secret}` the billing portal.
//!
//! # What the documents leave open
//!
//! | question | here |
//! |---|---|
//! | when retries of a payment and of a delivery come | [`StripeSettings`] declares the former; deliveries come again after 5 min, 15 min, 1 h, 3 h, 6 h, 12 h, 1 d, 1 d |
//! | what an idempotency key keeps | everything but 401, failed validation of parameters, and what isn't emulated |
//! | `payment_status` of a session with a trial | `no_payment_required`, as the document says; an old recording has `paid` |
//! | whether a failed refund causes an event of its charge | no; the charge shows it when it is read |
//! | whether drafts of an unpaid subscription are finalized | never by themselves |
//! | a resumption whose payment fails | not emulated |
//! | how a subscription comes to be paused | by an act: calls for it are documented after dahlia only |
//!
//! # Where things are
//!
//! | module | what it decides |
//! |---|---|
//! | `calls` | which call is meant, what it takes and refuses |
//! | `deeds` | what follows, and in which order the events come |
//! | `agenda` | what happens by itself, and when |
//! | `acts` | what people do outside the API |
//! | `state`, `show` | the state of objects, and how they look |
//! | `truth` | the state in neutral words |

// Objects with some seventy fields are written with one `json!` each.
#![recursion_limit = "512"]

mod acts;
mod agenda;
mod calendar;
mod calls;
mod cards;
mod deeds;
mod fault;
mod ids;
mod pages;
mod params;
mod settings;
mod shelf;
mod show;
mod state;
mod stripe;
mod tell;
mod truth;

pub use acts::{Act, DisputeOutcome, NewItem};
pub use cards::{Decline, TestMethod};
pub use settings::{AfterRetries, StripeSettings};
pub use state::RefundsBegin;
pub use stripe::Stripe;
