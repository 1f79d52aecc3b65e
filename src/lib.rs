//! Provider-neutral billing for Rust: verified webhooks in, a correct commercial projection out.
//!
//! An application owns its commercial state in its own SQL database. A payment provider's webhooks are inputs of a state
//! machine: each delivery is verified, read into neutral *facts*, folded, and committed in one piece before it is
//! acknowledged. What comes out, subscriptions, payments, refunds, entitlements, is a function of the *set* of facts, so
//! that duplicated, reordered, delayed and crashed deliveries end in the same projection.
//!
//! This package is the facade: [`purchase_core`]'s modules, and behind a feature each, the adapters and the stores.
//!
//! | feature | module | what |
//! |---|---|---|
//! | `lemonsqueezy` | `purchase::lemonsqueezy` | Lemon Squeezy, the receiving side |
//! | `paddle` | `purchase::paddle` | Paddle Billing, the receiving side |
//! | `stripe` | `purchase::stripe` | Stripe, the receiving side |
//! | `d1` | `purchase::d1` | the store on Cloudflare D1, over HTTP |
//! | `d1-worker` | `purchase::d1` | the store on Cloudflare D1, inside a Worker |
//! | `postgres` | `purchase::postgres` | the store on PostgreSQL |
//! | `sqlite` | `purchase::sqlite` | the embedded store on SQLite |
//! | `axum` | `purchase::axum` | a router that answers webhooks; implies `tower` |
//! | `tower` | `purchase::tower` | a service that answers webhooks, for any server on `http` |
//! | `testing` | `purchase::stripe::testing` and so on | signs deliveries, for an application's own tests |
//! | `runtime` | `purchase::group`, `purchase::worker` | group commit and the queue's worker, on Tokio |
//!
//! A store in memory is always there: [`store::memory::MemoryStore`]. [`open`](open::open) opens the one that a URL names. No feature changes what another part does.
//!
//! # Example
//!
//! ```
//! use std::{collections::BTreeMap, sync::Arc};
//!
//! use purchase::{
//!     catalog::Catalog,
//!     engine::{Engine, Settings},
//!     id::{CustomerId, Mode, OfferId},
//!     store::memory::MemoryStore,
//!     stripe::{self, ModePolicy, Stripe, StripeConfig},
//!     time::Timestamp,
//!     verify::Secret,
//! };
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let stripe = Stripe::new(StripeConfig::new(ModePolicy::Only(Mode::Test), ["whsec_example"])?)?;
//!     let prices = BTreeMap::from([("price_pro".to_owned(), OfferId::new("pro:monthly")?)]);
//!     let engine = Engine::new(Arc::new(MemoryStore::new()))
//!         .with_provider(Arc::new(stripe))
//!         .with_settings(Settings { catalog: Catalog { prices }, ..Settings::default() });
//!
//!     // What Stripe would send. Your web server hands over path, headers and raw body.
//!     let body = br#"{"id": "evt_1", "object": "event", "type": "customer.subscription.created", "created": 1767225599,
//!         "livemode": false, "data": {"object": {"id": "sub_1", "object": "subscription", "status": "active",
//!         "created": 1767225599, "customer": "cus_1", "metadata": {"purchase_customer_id": "ada"},
//!         "items": {"data": [{"id": "si_1", "quantity": 1, "price": {"id": "price_pro"}}]}}}}"#;
//!     let now = Timestamp::from_seconds(1_767_225_600)?;
//!     let delivery = stripe::testing::delivery([&Secret::new("whsec_example")?], body.as_slice(), now);
//!
//!     let receipt = engine.handle(delivery.clone()).await?;
//!     assert_eq!((receipt.http_status(), receipt.duplicate), (200, false));
//!     assert!(engine.handle(delivery).await?.duplicate);
//!
//!     // May Ada use the offer?
//!     let snapshots = engine.customer(&CustomerId::new("ada")?, now).await?;
//!     assert!(snapshots[0].entitlements["pro:monthly"].access);
//!     Ok(())
//! }
//! ```
//!
//! The [glossary](docs::glossary) gives each word its meaning, [the list of error codes](docs::errors) says what to do.

#[cfg(feature = "axum")]
pub mod axum;
#[cfg(any(feature = "runtime", feature = "tower"))]
mod clock;
#[cfg(feature = "runtime")]
pub mod group;
pub mod open;
#[cfg(feature = "tower")]
pub mod tower;
#[cfg(feature = "runtime")]
pub mod worker;

pub use purchase_core::*;

#[cfg(any(feature = "d1", feature = "d1-worker"))]
#[doc(inline)]
pub use purchase_d1 as d1;
#[cfg(feature = "lemonsqueezy")]
#[doc(inline)]
pub use purchase_lemonsqueezy as lemonsqueezy;
#[cfg(feature = "paddle")]
#[doc(inline)]
pub use purchase_paddle as paddle;
#[cfg(feature = "postgres")]
#[doc(inline)]
pub use purchase_postgres as postgres;
#[cfg(feature = "sqlite")]
#[doc(inline)]
pub use purchase_sqlite as sqlite;
#[cfg(feature = "stripe")]
#[doc(inline)]
pub use purchase_stripe as stripe;

/// The code of the README, compiled.
#[cfg(all(doctest, feature = "axum", feature = "sqlite", feature = "stripe"))]
#[doc = include_str!("../README.md")]
mod readme {}
