//! Defines the receiver behind a webhook endpoint. It takes deliveries and answers each.

use async_trait::async_trait;
use purchase_core::{delivery::Delivery, engine::Engine, error::Refusal, receipt::WebhookReceipt};

/// The answer to one delivery.
pub type Answer = Result<WebhookReceipt, Refusal>;

/// The code behind a webhook endpoint: the engine, or a mutant of it.
#[async_trait]
pub trait Receiver: Send + Sync {
    /// Takes a batch.
    async fn receive(&self, deliveries: Vec<Delivery>) -> Result<Vec<Answer>, Refusal>;
}

#[async_trait]
impl Receiver for Engine {
    async fn receive(&self, deliveries: Vec<Delivery>) -> Result<Vec<Answer>, Refusal> {
        self.handle_many(deliveries).await
    }
}
