//! Builds the answer to the sender of a delivery, and the event's row after this attempt.

use std::collections::BTreeMap;

use crate::{
    engine::{Admitted, plan::Plan},
    error::Refusal,
    provider::{Event, Meaning, Remark, Unreadable},
    receipt::{Answers, Reconciliation, Stage, StageReceipt, WebhookReceipt},
    store::{EventStatus, EventWrite, Reason},
};

pub(in crate::engine) type Answer = Result<WebhookReceipt, Refusal>;

/// The event's row after this attempt. `attempts` includes this one.
pub(in crate::engine) fn event_write(
    unit: &Admitted,
    expected: Option<EventStatus>,
    attempts: u32,
    plan: &Plan<'_>,
) -> EventWrite {
    let (status, reason, due_at) = match &unit.reading {
        Ok(Event { meaning: Meaning::Facts(facts), remarks, .. }) => {
            let unusable = (!remarks.is_empty()).then(|| Reason::Unusable { remarks: remarks.clone() });
            match facts.iter().any(|fact| plan.is_parked(&fact.subject)) {
                true => (EventStatus::Parked, unusable, None),
                false => (EventStatus::Processed, unusable, None),
            }
        }
        Ok(Event { meaning: Meaning::Fetch(need), .. }) => {
            (EventStatus::AwaitingFetch, Some(Reason::Fetch(need.clone())), None)
        }
        Ok(Event { meaning: Meaning::Ignored, .. }) => (EventStatus::Ignored, None, None),
        Err(Unreadable { fault, .. }) => {
            let due_at = plan.settings.retry.due_after_fault(fault, attempts, unit.event.received_at);
            (EventStatus::Failed, Some(Reason::Read(fault.clone())), due_at)
        }
    };
    EventWrite { event: unit.event.clone(), expected, status, reason, attempts, due_at }
}

pub(super) fn answer(unit: &Admitted, write: &EventWrite, plan: &Plan<'_>) -> Result<WebhookReceipt, Refusal> {
    let Ok(event) = &unit.reading else { return refuse_unreadable(unit) };
    let facts = unit.facts();
    let mut receipt = receipt(unit, write.status, false);
    receipt.transitions = plan.brought_by(facts);
    let subjects: BTreeMap<_, _> = facts.iter().map(|fact| (&fact.subject, ())).collect();
    for subject in subjects.into_keys() {
        let open = plan.open_of(subject);
        let named = || subject.public_id();
        receipt.reconciliation.extend(open.ambiguous.then(|| Reconciliation::Ambiguous { subject: named() }));
        receipt.reconciliation.extend(open.contradicted.then(|| Reconciliation::ContractBroken { subject: named() }));
        receipt.reconciliation.extend(open.parked.then(|| Reconciliation::OwnerUnknown { subject: named() }));
    }
    if matches!(write.reason, Some(Reason::Fetch(_))) {
        receipt.reconciliation.push(Reconciliation::FetchNeeded);
    }
    receipt.reconciliation.extend(
        event.remarks.iter().cloned().map(|Remark { path, expected, found }| Reconciliation::IdUnusable {
            path,
            expected,
            found,
        }),
    );
    Ok(receipt)
}

/// The answer to a unit that couldn't be read. A readable unit is answered as an accepted repetition.
pub(super) fn refuse_unreadable(unit: &Admitted) -> Result<WebhookReceipt, Refusal> {
    match &unit.reading {
        Err(Unreadable { fault, .. }) => {
            Err(Refusal::Unreadable { event: unit.event.key.public_id(), fault: fault.clone() })
        }
        Ok(_) => Ok(receipt(unit, EventStatus::Processed, true)),
    }
}

pub(super) fn receipt(unit: &Admitted, status: EventStatus, duplicate: bool) -> WebhookReceipt {
    let at = unit.event.received_at;
    let stage = |stage| StageReceipt { stage, at };
    let facts = if duplicate { 0 } else { unit.facts().len() };
    let mut stages = vec![stage(Stage::AcceptEvent)];
    if !duplicate {
        stages.push(stage(Stage::PersistFact));
    }
    if facts > 0 {
        stages.push(stage(Stage::RefreshProjection));
    }
    WebhookReceipt {
        workflow: "webhook.receive",
        event: unit.event.key.public_id(),
        event_type: unit.event.event_type.clone(),
        status,
        duplicate,
        stages,
        facts,
        transitions: Vec::new(),
        reconciliation: Vec::new(),
        answers: Answers {
            input_accepted: true,
            provider_changed: false,
            local_facts_stored: facts > 0
                || (duplicate && matches!(status, EventStatus::Parked | EventStatus::Processed)),
            refresh_owed: matches!(status, EventStatus::AwaitingFetch | EventStatus::Parked | EventStatus::Received),
        },
    }
}

pub(super) fn trace(answer: &Result<WebhookReceipt, Refusal>) {
    match answer {
        Ok(receipt) => {
            tracing::info!(
                event = receipt.event,
                event_type = receipt.event_type,
                status = receipt.status.as_str(),
                duplicate = receipt.duplicate,
                transitions = receipt.transitions.len(),
                "webhook received"
            );
            for open in &receipt.reconciliation {
                if let Reconciliation::IdUnusable { path, expected, found } = open {
                    let event = &receipt.event;
                    tracing::warn!(event, path, expected, found, "an unusable id set by the application is ignored");
                }
            }
        }
        Err(refusal) => tracing::warn!(code = refusal.code(), reason = %refusal, "webhook refused"),
    }
}
