//! Builds broken endpoints around a correct engine.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use purchase_core::{
    delivery::Delivery,
    error::Refusal,
    receipt::{Answers, TransitionReceipt, WebhookReceipt},
    store::EventStatus,
};

use crate::{
    mutants::System,
    receiver::{Answer, Receiver},
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

/// Takes the first delivery of a batch for the whole batch.
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

/// Bodies that arrived before.
struct ErroredIsDone(System, Mutex<BTreeSet<Vec<u8>>>);

pub(super) fn errored_is_done(system: System) -> Arc<dyn Receiver> {
    Arc::new(ErroredIsDone(system, Mutex::default()))
}

#[async_trait]
impl Receiver for ErroredIsDone {
    async fn receive(&self, deliveries: Vec<Delivery>) -> Result<Vec<Answer>, Refusal> {
        let news: Vec<bool> = {
            let mut seen = self.1.lock().unwrap_or_else(PoisonError::into_inner);
            deliveries.iter().map(|delivery| seen.insert(delivery.body.clone())).collect()
        };
        let fresh = deliveries.into_iter().zip(&news).filter(|(_, new)| **new).map(|(delivery, _)| delivery);
        let mut answers = self.0.engine.handle_many(fresh.collect()).await?.into_iter();
        let answer = |new: bool| if new { answers.next() } else { Some(Ok(receipt())) };
        Ok(news.into_iter().filter_map(answer).collect())
    }
}

/// Bodies that could not be read before.
struct FailedIsDone(System, Mutex<BTreeSet<Vec<u8>>>);

pub(super) fn failed_is_done(system: System) -> Arc<dyn Receiver> {
    Arc::new(FailedIsDone(system, Mutex::default()))
}

#[async_trait]
impl Receiver for FailedIsDone {
    async fn receive(&self, deliveries: Vec<Delivery>) -> Result<Vec<Answer>, Refusal> {
        let bodies: Vec<Vec<u8>> = deliveries.iter().map(|delivery| delivery.body.clone()).collect();
        let answers = self.0.engine.handle_many(deliveries).await?;
        let mut failed = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        let again = |(body, answer): (Vec<u8>, Answer)| match answer {
            Err(Refusal::Unreadable { .. }) if !failed.insert(body) => Ok(receipt()),
            answer => answer,
        };
        Ok(bodies.into_iter().zip(answers).map(again).collect())
    }
}

struct FailsTogether(System);

pub(super) fn fails_together(system: System) -> Arc<dyn Receiver> {
    Arc::new(FailsTogether(system))
}

#[async_trait]
impl Receiver for FailsTogether {
    async fn receive(&self, deliveries: Vec<Delivery>) -> Result<Vec<Answer>, Refusal> {
        let several = deliveries.len() > 1;
        let mut answers = self.0.engine.handle_many(deliveries).await?;
        match answers.iter().position(|answer| matches!(answer, Err(Refusal::Unreadable { .. }))) {
            Some(place) if several => match answers.swap_remove(place) {
                Err(refusal) => Err(refusal),
                answer => Ok(vec![answer]),
            },
            _ => Ok(answers),
        }
    }
}

struct ThanksForgers(System);

pub(super) fn thanks_forgers(system: System) -> Arc<dyn Receiver> {
    Arc::new(ThanksForgers(system))
}

#[async_trait]
impl Receiver for ThanksForgers {
    async fn receive(&self, deliveries: Vec<Delivery>) -> Result<Vec<Answer>, Refusal> {
        let answers = self.0.engine.handle_many(deliveries).await?;
        let polite = |answer| match answer {
            Err(Refusal::Signature(_)) => Ok(receipt()),
            answer => answer,
        };
        Ok(answers.into_iter().map(polite).collect())
    }
}

/// The transitions that each event reported the first time.
struct MailsPerDelivery(System, Mutex<BTreeMap<String, Vec<TransitionReceipt>>>);

pub(super) fn mails_per_delivery(system: System) -> Arc<dyn Receiver> {
    Arc::new(MailsPerDelivery(system, Mutex::default()))
}

#[async_trait]
impl Receiver for MailsPerDelivery {
    async fn receive(&self, deliveries: Vec<Delivery>) -> Result<Vec<Answer>, Refusal> {
        let mut answers = self.0.engine.handle_many(deliveries).await?;
        let mut told = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        for receipt in answers.iter_mut().flatten() {
            let first = told.entry(receipt.event.clone()).or_insert_with(|| receipt.transitions.clone());
            receipt.transitions.clone_from(first);
        }
        Ok(answers)
    }
}
