//! Receives webhooks in an axum application: a router with the one route that a provider needs. What it answers is
//! [`purchase::tower`](crate::tower)'s.
//!
//! ```
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//!
//! use axum::{Router, routing::get};
//! use purchase::{
//!     engine::Engine,
//!     id::Mode,
//!     store::memory::MemoryStore,
//!     stripe::{ModePolicy, Stripe, StripeConfig},
//!     tower::Intake,
//! };
//!
//! let stripe = Stripe::new(StripeConfig::new(ModePolicy::Only(Mode::Test), ["whsec_example"])?)?;
//! let engine = Engine::new(Arc::new(MemoryStore::new())).with_provider(Arc::new(stripe));
//!
//! // An application's own router, with a state of its own.
//! let app: Router = Router::new()
//!     .route("/", get(async || "hello"))
//!     .merge(purchase::axum::router(Intake::inline(engine)))
//!     .with_state("the application's state");
//!
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! # let done = async {};
//! axum::serve(listener, app)
//! #   .with_graceful_shutdown(done)
//!     .await?;
//! # Ok(())
//! # }
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
//! ```

use ::axum::{
    Router,
    response::{IntoResponse, Response},
    routing::post_service,
};

use crate::tower::{Failure, Intake, WebhookService};

/// A router with `POST /webhooks/{provider}`, to be merged or nested into an application's own, whatever its state is.
/// The body is read as raw bytes, up to the engine's limit; axum's own limit does not apply. A layer that changes
/// bodies, one that decompresses them for instance, must not lie around it: signatures are made over the raw bytes.
pub fn router<S>(intake: Intake) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    Router::new().route("/webhooks/{provider}", post_service(WebhookService::new(intake)))
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        self.response().into_response()
    }
}
