//! Decides whether private data leaks: secrets, raw provider ids and e-mail addresses in errors, receipts, snapshots,
//! Debug output and the log.

use std::collections::{BTreeMap, BTreeSet};

use purchase_core::{
    delivery::Delivery,
    error::Refusal,
    fact::{Fact, Link, object_state::ObjectState},
    id::CustomerId,
    provider::{Event, Unreadable},
};
use tracing::instrument::WithSubscriber;

use crate::{
    law::{
        Trial,
        provider::{
            keeping::{ADDED, facts_of, reading},
            log::Log,
        },
    },
    receiver::Answer,
    rig::{Bench, Setup},
    verdict::{Broken, Held, Verdict, chain, ensure},
};

/// Shorter words would match by accident.
const WORD_BYTES: usize = 6;

pub(crate) async fn nothing_leaks(trial: &Trial) -> Verdict {
    let signed = trial.rig.sign(&trial.scenario)?;
    let mut words = Words::default();
    words.add("a signing secret", &trial.scenario.secret);
    words.add("an event's raw id", ADDED);
    let mut texts = Texts::default();
    for delivery in &signed {
        let read = reading(trial, delivery)?;
        words.of_delivery(delivery);
        words.of_reading(&read);
        texts.add("Debug of a delivery", format!("{delivery:?} {delivery:#?}"));
        texts.of_reading(&read);
    }
    let provider = trial.rig.adapter(&[&trial.scenario.secret], None)?;
    texts.add("Debug of the adapter's trust", format!("{:?}", provider.webhooks().trust()));

    let log = Log::default();
    let seen = async {
        let bench = trial.rig.bench(&trial.scenario).await?;
        answers(trial, &bench, &signed, &mut texts).await?;
        snapshots(&bench, trial, &words, &mut texts).await
    };
    seen.with_subscriber(log.clone()).await?;
    log.lines().into_iter().for_each(|line| texts.add("a line of the log", line));
    let found = texts.search(&words);
    ensure(found.is_none(), || found.unwrap_or_default())?;
    Ok(Held { checks: texts.0.len() as u64 })
}

/// The endpoint's answers to genuine, tampered and unreadable deliveries.
async fn answers(trial: &Trial, bench: &Bench, signed: &[Delivery], texts: &mut Texts) -> Result<(), Broken> {
    let provider = &trial.rig.provider;
    for (delivery, recorded) in signed.iter().zip(&trial.scenario.deliveries) {
        let mut sent = vec![delivery.clone(), Delivery { body: b"{}".to_vec(), ..delivery.clone() }];
        let edited = [
            (provider.samples.contradiction)(&recorded.body),
            (provider.samples.unreadable)(&recorded.body, ADDED).map(|unreadable| unreadable.body),
            Some(recorded.body[..recorded.body.len() / 2].to_vec()),
        ];
        for body in edited.into_iter().flatten() {
            sent.push(trial.rig.sign_body(&trial.scenario, body)?);
        }
        let stale = delivery.received_at.plus_seconds(86_400);
        sent.push(Delivery { received_at: stale, ..delivery.clone() });
        for delivery in sent {
            for answer in bench.receiver.receive(vec![delivery]).await? {
                texts.of_answer(&answer);
            }
        }
    }
    let other = Setup { secrets: vec!["another_secret_of_the_kit"], ..Setup::of(&trial.scenario) };
    let other = trial.rig.bench_of(other).await?;
    for answer in other.receiver.receive(signed.to_vec()).await? {
        texts.of_answer(&answer);
    }
    Ok(())
}

async fn snapshots(bench: &Bench, trial: &Trial, words: &Words, texts: &mut Texts) -> Result<(), Broken> {
    for customer in &words.customers {
        for snapshot in bench.engine.customer(customer, trial.scenario.as_of).await? {
            let json =
                serde_json::to_string(&snapshot).map_err(|error| Broken::caused("a snapshot is not JSON", &error))?;
            texts.add("a customer's snapshot", json);
            texts.add("Debug of a customer's snapshot", format!("{snapshot:?}"));
        }
    }
    for stored in bench.events().await? {
        texts.add("the reason of an event", format!("{:?}", stored.reason));
        let shown = serde_json::to_string(&stored.reason).unwrap_or_default();
        texts.add("the reason of an event as JSON", shown);
    }
    Ok(())
}

/// The texts that must not appear.
#[derive(Default)]
struct Words {
    hidden: BTreeMap<String, &'static str>,
    /// Names that the application gave. They may appear.
    open: BTreeSet<String>,
    customers: BTreeSet<CustomerId>,
}

impl Words {
    fn add(&mut self, what: &'static str, word: &str) {
        if word.len() >= WORD_BYTES {
            self.hidden.insert(word.to_owned(), what);
        }
    }

    /// Adds every e-mail address in the body, whether the adapter reads it or not.
    fn of_delivery(&mut self, delivery: &Delivery) {
        let Ok(body) = serde_json::from_slice::<serde_json::Value>(&delivery.body) else { return };
        let mut open = vec![&body];
        while let Some(value) = open.pop() {
            match value {
                serde_json::Value::Array(list) => open.extend(list),
                serde_json::Value::Object(map) => open.extend(map.values()),
                serde_json::Value::String(text) if is_email(text) => self.add("an e-mail address", text),
                _ => {}
            }
        }
    }

    fn of_reading(&mut self, read: &Result<Event, Unreadable>) {
        let head = match read {
            Ok(event) => Some(&event.head),
            Err(unreadable) => unreadable.head.as_ref(),
        };
        if let Some(head) = head {
            self.add("an event's raw id", head.key.id.expose());
            let account = head.key.source.account.as_ref();
            account.into_iter().for_each(|account| self.add("an account's raw id", account.expose()));
        }
        let Ok(event) = read else { return };
        for fact in facts_of(event) {
            self.of_fact(fact);
        }
    }

    fn of_fact(&mut self, fact: &Fact) {
        self.add("an object's raw id", fact.subject.root.id.expose());
        if let Some(observation) = &fact.observation {
            self.add("an object's raw id", observation.object.id.expose());
            for object_state in std::iter::once(&observation.object_state).chain(&observation.prior) {
                self.of_state(object_state);
            }
        }
        for link in &fact.links {
            match link {
                Link::Checkout(id)
                | Link::Customer(id)
                | Link::Invoice(id)
                | Link::Payment(id)
                | Link::Product(id)
                | Link::Subscription(id) => self.add("an object's raw id", id.expose()),
                Link::InferredOwner { owner: customer, .. } | Link::Owner(customer) => {
                    self.open.insert(customer.as_str().to_owned());
                    self.customers.insert(customer.clone());
                }
                Link::InferredOffer { offer, .. } | Link::Offer(offer) => {
                    self.open.insert(offer.as_str().to_owned());
                }
            }
        }
    }

    fn of_state(&mut self, object_state: &ObjectState) {
        match object_state {
            ObjectState::Customer(customer) => {
                let email = customer.email.as_ref();
                email.into_iter().for_each(|email| self.add("an e-mail address", email.expose()));
            }
            ObjectState::Subscription(subscription) => {
                subscription.items.iter().for_each(|item| self.add("a price's raw id", item.price.expose()));
            }
            _ => {}
        }
    }
}

fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && host.contains('.') && !text.contains(char::is_whitespace) && !text.contains('/')
    })
}

/// The texts that anybody may see.
#[derive(Default)]
struct Texts(Vec<(&'static str, String)>);

impl Texts {
    fn add(&mut self, what: &'static str, text: String) {
        self.0.push((what, text));
    }

    fn of_reading(&mut self, read: &Result<Event, Unreadable>) {
        match read {
            Ok(event) => self.add("Debug of an event and its facts", format!("{event:?}")),
            Err(unreadable) => {
                self.add("Debug of an unreadable event", format!("{unreadable:?}"));
                self.add("the fault of an unreadable event", unreadable.fault.to_string());
            }
        }
    }

    fn of_answer(&mut self, answer: &Answer) {
        match answer {
            Ok(receipt) => {
                self.add("Debug of a receipt", format!("{receipt:?}"));
                self.add("a receipt", serde_json::to_string(receipt).unwrap_or_default());
            }
            Err(refusal) => self.of_refusal(refusal),
        }
    }

    fn of_refusal(&mut self, refusal: &Refusal) {
        self.add("Debug of an error", format!("{refusal:?}"));
        self.add("an error", chain(refusal));
    }

    fn search(&self, words: &Words) -> Option<String> {
        self.0.iter().find_map(|(place, text)| {
            let found =
                words.hidden.iter().find(|(word, _)| !words.open.contains(*word) && text.contains(word.as_str()));
            found.map(|(word, what)| format!("{place} shows {what}, {word:?}"))
        })
    }
}
