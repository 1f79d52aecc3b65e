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
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//!
//! use purchase::{
//!     delivery::Delivery,
//!     engine::{Engine, ProjectionQuery},
//!     id::{Mode, ProviderName},
//!     store::memory::MemoryStore,
//!     stripe::{ModePolicy, Stripe, StripeConfig},
//!     time::Timestamp,
//!     verify::Secret,
//! };
//!
//! let stripe = Stripe::new(StripeConfig::new(ModePolicy::Only(Mode::Test), ["whsec_example"])?)?;
//! let engine = Engine::new(Arc::new(MemoryStore::new())).with_provider(Arc::new(stripe));
//!
//! // What the web server hands over: path, headers, raw bytes, and its own clock.
//! let now = Timestamp::from_seconds(1_767_225_600)?;
//! let body = br#"{"id": "evt_1", "object": "event", "type": "customer.created", "created": 1767225599,
//!     "livemode": false, "api_version": "2026-03-25.dahlia",
//!     "data": {"object": {"id": "cus_1", "object": "customer", "created": 1767225599, "email": "a@example.com"}}}"#;
//! # let mac = Secret::new("whsec_example")?.sign(&[b"1767225600.", body]);
//! # let mac: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
//! # let signature = format!("t=1767225600,v1={mac}");
//! let delivery = Delivery {
//!     provider: ProviderName::new("stripe")?,
//!     headers: [("Stripe-Signature", signature)].into_iter().collect(),
//!     body: body.to_vec(),
//!     received_at: now,
//! };
//!
//! let receipt = engine.handle(delivery.clone()).await?;
//! assert_eq!((receipt.http_status(), receipt.facts, receipt.duplicate), (200, 1, false));
//! assert!(engine.handle(delivery).await?.duplicate);
//!
//! let projection = engine.projection(&ProjectionQuery { source: None, as_of: now }).await?;
//! assert_eq!(projection.expose_canonical()["customers"]["cus_1"]["email"], "a@example.com");
//! # Ok(())
//! # }
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(example()).unwrap();
//! ```

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
