//! Receives deliveries: processes them inline, processes several together, or stores them for later. A delivery with
//! a bad signature or an oversized body is refused before anything is stored.

pub(in crate::engine) mod admitted;
pub(in crate::engine) mod answer;
pub(in crate::engine) mod ingest;
mod ordering_key;

use std::sync::Arc;

use crate::{
    delivery::{Delivery, Headers},
    engine::{Admitted, Engine},
    error::Refusal,
    id::ProviderName,
    provider::Provider,
    receipt::WebhookReceipt,
    verify::{self, PresentedSignature, SignatureError, VerifiedDelivery},
};

impl Engine {
    /// Processes one delivery completely. When this returns a receipt, the event and all its effects are durable in
    /// one commit, and the endpoint may answer [`WebhookReceipt::http_status`].
    ///
    /// # Errors
    /// A [`Refusal`] with the HTTP status to answer. A genuine event is stored even then, unless the store failed.
    pub async fn handle(&self, delivery: Delivery) -> Result<WebhookReceipt, Refusal> {
        match self.handle_many(vec![delivery]).await?.pop() {
            Some(answer) => answer,
            None => Err(Refusal::TooMany { deliveries: 1, limit: self.settings.limits.deliveries }),
        }
    }

    /// Processes many deliveries completely and together: one load, one fold per subject, one commit. Answers are in
    /// the order of the deliveries. A refused delivery doesn't affect the others.
    ///
    /// # Errors
    /// Only an error that concerns all of them: too many deliveries, or the store. Then nothing was written.
    pub async fn handle_many(
        &self,
        deliveries: Vec<Delivery>,
    ) -> Result<Vec<Result<WebhookReceipt, Refusal>>, Refusal> {
        self.within_limit(deliveries.len())?;
        let mut units = Vec::with_capacity(deliveries.len());
        let refused: Vec<Option<Refusal>> = deliveries
            .into_iter()
            .map(|delivery| self.admit(delivery).map(|admitted| units.push(admitted)).err())
            .collect();
        let mut answers = self.ingest(&units, None).await?.into_iter();
        Ok(refused.into_iter().filter_map(|refusal| refusal.map(Err).or_else(|| answers.next())).collect())
    }

    /// Verifies and reads one delivery, and writes nothing: the part of [`handle`](Self::handle) that needs no store.
    ///
    /// # Errors
    /// A [`Refusal`] when the delivery is not genuine. A genuine body that can't be read is admitted; a later step
    /// stores and then refuses it.
    pub fn admit(&self, delivery: Delivery) -> Result<Admitted, Refusal> {
        let verified = self.verify(delivery)?;
        let provider = self.provider(&verified.delivery().provider)?;
        let reading = admitted::in_time(provider.webhooks().read(&verified), verified.delivery().received_at);
        Ok(Admitted { event: admitted::new_event(&reading, verified.into_delivery()), reading })
    }

    /// Processes admitted deliveries together, from where [`admit`](Self::admit) stopped, as
    /// [`handle_many`](Self::handle_many) does.
    ///
    /// # Errors
    /// As [`handle_many`](Self::handle_many).
    pub async fn handle_admitted(
        &self,
        admitted: &[Admitted],
    ) -> Result<Vec<Result<WebhookReceipt, Refusal>>, Refusal> {
        self.within_limit(admitted.len())?;
        self.ingest(admitted, None).await
    }

    /// Stores one delivery as received and returns immediately, with whether it was new; [`work`](Self::work)
    /// processes it later. For endpoints that must answer before the work is done. If an event that failed or was
    /// ignored is delivered again, it becomes due immediately, in case this version can read it.
    ///
    /// # Errors
    /// A [`Refusal`], as [`handle`](Self::handle) would return: an unreadable event is stored as failed, a different
    /// body under a known event id as a conflict.
    pub async fn accept(&self, delivery: Delivery) -> Result<bool, Refusal> {
        let admitted = self.admit(delivery)?;
        let event = std::slice::from_ref(&admitted.event);
        if admitted.reading.is_ok() {
            let new = self.store.accept(event).await.map_err(Refusal::from);
            if new.inspect_err(|refusal| ingest::trace_fault(refusal, 1))?.into_iter().any(|new| new) {
                return Ok(true);
            }
        }
        self.accept_again(admitted).await?;
        Ok(false)
    }

    /// Refuses a delivery that its headers alone disqualify, so that an endpoint need not read the body: its provider
    /// has no adapter, or its signature is missing or malformed. It doesn't compare signatures; only
    /// [`admit`](Self::admit) decides whether a delivery is genuine.
    ///
    /// # Errors
    /// [`Refusal::UnknownProvider`], or [`Refusal::Signature`] with what is wrong with the header.
    pub fn precheck(&self, provider: &ProviderName, headers: &Headers) -> Result<(), Refusal> {
        self.presented_to(self.provider(provider)?, headers)?;
        Ok(())
    }

    fn presented_to(
        &self,
        provider: &Arc<dyn Provider>,
        headers: &Headers,
    ) -> Result<PresentedSignature, SignatureError> {
        let webhooks = provider.webhooks();
        webhooks
            .presented_signature(headers, &self.settings.limits)
            .inspect_err(|error| trace_refused(provider.name(), error, 0, webhooks.trust().secrets.len()))
    }

    fn verify(&self, delivery: Delivery) -> Result<VerifiedDelivery, Refusal> {
        let limits = &self.settings.limits;
        let provider = self.provider(&delivery.provider)?;
        verify::within_limits(&delivery, limits)
            .map_err(|bytes| Refusal::BodyTooLarge { bytes, limit: limits.body_bytes })?;
        let trust = provider.webhooks().trust();
        let presented = self.presented_to(provider, &delivery.headers)?;
        let verified = verify::verify(delivery, &presented, trust)
            .inspect_err(|error| trace_refused(provider.name(), error, presented.macs.len(), trust.secrets.len()))?;
        Ok(verified)
    }

    fn within_limit(&self, deliveries: usize) -> Result<(), Refusal> {
        let limit = self.settings.limits.deliveries;
        if deliveries > limit { Err(Refusal::TooMany { deliveries, limit }) } else { Ok(()) }
    }
}

/// Operators must see that deliveries are refused, and why: the provider's own retries are the only other sign. The
/// line contains no secret, no signature and nothing of the body.
fn trace_refused(provider: &ProviderName, error: &SignatureError, signatures: usize, secrets: usize) {
    tracing::warn!(
        provider = provider.as_str(),
        reason = error.code(),
        signatures,
        secrets,
        age = error.age_bucket(),
        "a delivery was refused because of its signature"
    );
}
