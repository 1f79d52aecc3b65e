//! Decides how endpoints are broken around a right engine.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use purchase_core::{
    delivery::Delivery,
    error::Refusal,
    receipt::{Answers, WebhookReceipt},
    store::EventStatus,
};

use crate::{
    mutants::System,
    rig::{Answer, Receiver},
};

struct Around<F>(System, F);

#[async_trait]
impl<F: Fn(&System, Delivery) -> Delivery + Send + Sync> Receiver for Around<F> {
    async fn receive(&self, deliveries: Vec<Delivery>) -> Result<Vec<Answer>, Refusal> {
        let Self(system, change) = self;
        system.engine.handle_many(deliveries.into_iter().map(|delivery| change(system, delivery)).collect()).await
    }
}

pub(super) fn believes_everybody(system: System) -> Arc<dyn Receiver> {
    Arc::new(Around(system, |system: &System, delivery: Delivery| {
        let secrets: Vec<&str> = system.secrets.iter().map(String::as_str).collect();
        let headers = (system.provider.sign)(&secrets, &delivery.body, delivery.received_at).headers();
        Delivery { headers, ..delivery }
    }))
}

pub(super) fn parses_before_checking(system: System) -> Arc<dyn Receiver> {
    Arc::new(Around(system, |_: &System, delivery: Delivery| {
        match serde_json::from_slice::<serde_json::Value>(&delivery.body) {
            Ok(value) => Delivery { body: value.to_string().into_bytes(), ..delivery },
            Err(_) => delivery,
        }
    }))
}

struct SwallowsErrors(System);

pub(super) fn swallows_errors(system: System) -> Arc<dyn Receiver> {
    Arc::new(SwallowsErrors(system))
}

#[async_trait]
impl Receiver for SwallowsErrors {
    async fn receive(&self, deliveries: Vec<Delivery>) -> Result<Vec<Answer>, Refusal> {
        let count = deliveries.len();
        match self.0.engine.handle_many(deliveries).await {
            Err(Refusal::Store(_)) => Ok((0..count).map(|_| Ok(receipt())).collect()),
            answers => answers,
        }
    }
}

fn receipt() -> WebhookReceipt {
    WebhookReceipt {
        workflow: "webhook.receive",
        event: String::new(),
        event_type: String::new(),
        status: EventStatus::Processed,
        duplicate: false,
        stages: Vec::new(),
        facts: 0,
        transitions: Vec::new(),
        reconciliation: Vec::new(),
        answers: Answers {
            input_accepted: true,
            provider_changed: false,
            local_facts_stored: true,
            refresh_owed: false,
        },
    }
}

struct FirstOfEachBatch(System);

pub(super) fn first_of_each_batch(system: System) -> Arc<dyn Receiver> {
    Arc::new(FirstOfEachBatch(system))
}

/// Takes the first delivery of a batch for all of it.
#[async_trait]
impl Receiver for FirstOfEachBatch {
    async fn receive(&self, deliveries: Vec<Delivery>) -> Result<Vec<Answer>, Refusal> {
        let mut answers = Vec::new();
        let mut seen = BTreeSet::new();
        for delivery in deliveries {
            let again = !seen.insert(delivery.provider.clone());
            match again {
                true => answers.push(Ok(receipt())),
                false => answers.extend(self.0.engine.handle_many(vec![delivery]).await?),
            }
        }
        Ok(answers)
    }
}
